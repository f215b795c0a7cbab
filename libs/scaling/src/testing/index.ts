export { hasControlPlane, startControlPlane, type ControlPlane, type ControlPlaneOptions } from './control-plane.ts';
