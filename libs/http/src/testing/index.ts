export { describeAdmission, type AdmissionSuite } from './describe-admission.ts';
