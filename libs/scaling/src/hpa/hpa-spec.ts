/** What a HorizontalPodAutoscaler (autoscaling/v2) asks for, with the API server's defaults filled in. */
export interface HpaSpec {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly metrics: readonly ExternalMetric[];
  /** Absent where the manifest has none: then the controller's older, fixed rules hold. */
  readonly behavior?: { readonly scaleUp: ScalingRules; readonly scaleDown: ScalingRules };
}

export interface ExternalMetric {
  readonly name: string;
  /** The label selector as Kubernetes writes it, `a=b,c in (d,e)`; '' where there is none. */
  readonly selector: string;
  /** `averageValue`: a pod's share of the whole; `value`: the whole, which the controller multiplies by the ready pods. */
  readonly target: { readonly type: 'averageValue' | 'value'; readonly milli: number };
}

export interface ScalingRules {
  /** Absent only on the way down: the controller's own `--horizontal-pod-autoscaler-downscale-stabilization`. */
  readonly stabilizationWindowSeconds?: number;
  readonly selectPolicy: 'Max' | 'Min' | 'Disabled';
  readonly policies: readonly ScalingPolicy[];
  /** Counts only where the cluster has the feature gate HPAConfigurableTolerance. */
  readonly tolerance?: number;
}

export interface ScalingPolicy {
  readonly type: 'Pods' | 'Percent';
  readonly value: number;
  readonly periodSeconds: number;
}
