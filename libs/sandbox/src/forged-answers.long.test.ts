import { describeForgedAnswers, forgeries } from './testing/forged-answers.ts';

describeForgedAnswers(forgeries);
