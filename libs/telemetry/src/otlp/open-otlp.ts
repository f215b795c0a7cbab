import { diag, DiagLogLevel, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import type { Span, SpanStart } from '@meterflow/stage';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Metrics } from '../metrics.ts';
import { metricProducer } from './metric-producer.ts';
import { spanContextOf, traceparentOf } from './trace-context.ts';

export interface OtlpOptions {
  readonly service: string;
  /** Names this run of this process. */
  readonly instance: string;
  /** Of the traces that begin here, this part is sent; what belongs to a trace is sent with it. */
  readonly traceRatio: number;
  readonly metrics: Metrics;
  /** Called before each export of metrics. */
  readonly collect: () => void;
  /** Called for what could not be sent. Nothing waits for it, and it is not sent again later. */
  readonly onFailure: (message: string) => void;
}

export interface Otlp {
  startSpan(name: string, start: SpanStart): Span;
  /** Sends what is left. */
  close(): Promise<void>;
}

const metricsEveryMs = 30_000;
const exportMsMax = 10_000;
/** Spans that wait to be sent; more are dropped. */
const spansWaitingMax = 8_192;
const textCharsMax = 1_000;

/**
 * Sends traces and metrics to an OpenTelemetry collector over OTLP (HTTP, JSON). Where to, with which headers and
 * certificates, the exporters read themselves from the standard variables, `OTEL_EXPORTER_OTLP_…`.
 */
export function openOtlp(options: OtlpOptions): Otlp {
  diag.setLogger(failuresOnly(options.onFailure), { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true });
  const resource = resourceFromAttributes({
    'service.namespace': 'meterflow',
    'service.name': options.service,
    'service.instance.id': options.instance,
  });
  const exporter = new OTLPTraceExporter({ timeoutMillis: exportMsMax });
  const traces = new TracerProvider({
    resource,
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.traceRatio) }),
    spanProcessors: [new BatchSpanProcessor({ exporter, maxQueueSize: spansWaitingMax })],
    spanLimits: { attributeValueLengthLimit: textCharsMax },
  });
  const metrics = new MeterProvider({ resource, readers: [metricReader(options)] });
  const tracer = traces.getTracer('meterflow');
  return {
    startSpan: (name, start) => startSpan(tracer, name, start),
    close: async () => {
      for (const end of await Promise.allSettled([traces.shutdown(), metrics.shutdown()])) {
        if (end.status === 'rejected') {
          options.onFailure(String(end.reason));
        }
      }
    },
  };
}

function metricReader({ metrics, collect }: OtlpOptions): PeriodicExportingMetricReader {
  const producer = metricProducer(metrics, { startedAtMs: Date.now(), nowMs: () => Date.now() });
  return new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter({ timeoutMillis: exportMsMax }),
    exportIntervalMillis: metricsEveryMs,
    exportTimeoutMillis: exportMsMax,
    metricProducers: [
      {
        collect: (request) => {
          collect();
          return producer.collect(request);
        },
      },
    ],
  });
}

function startSpan(tracer: Tracer, name: string, { parent, links = [], attributes = {} }: SpanStart): Span {
  const parentContext = parent === undefined ? undefined : spanContextOf(parent);
  const context = parentContext === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parentContext);
  const kind = parent === undefined ? SpanKind.PRODUCER : SpanKind.CONSUMER;
  const linked = links.flatMap((link) => {
    const linkContext = spanContextOf(link);
    return linkContext === undefined ? [] : { context: linkContext };
  });
  const span = tracer.startSpan(name, { kind, links: linked, attributes: { ...attributes } }, context);
  return {
    traceparent: span.isRecording() ? traceparentOf(span.spanContext()) : undefined,
    end: (error) => {
      if (error !== undefined) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      }
      span.end();
    },
  };
}

function failuresOnly(tell: (message: string) => void): Parameters<typeof diag.setLogger>[0] {
  const nothing = (): void => undefined;
  return { error: tell, warn: nothing, info: nothing, debug: nothing, verbose: nothing };
}
