import { readSync, writeSync } from 'node:fs';
import { FrameInput } from '../frame-input.ts';
import { FrameWriter, padded, word } from '../frame.ts';
import { noticeFrame, replyKind, resultFrame } from '../reply.ts';
import { readRun, requestKind } from '../request.ts';
import { sharedBytes, sharedColumns, type SharedColumns } from '../shared-layout.ts';

// A child of which somebody has got hold: it answers honestly but for tenants whose texts name a forgery.

const capacity = 4_096;
const columns = sharedColumns(new SharedArrayBuffer(sharedBytes(capacity)), capacity);

function forged(
  change: (shared: SharedColumns) => void,
  any: number,
  [newTexts, failures]: readonly [string, string] = ['', ''],
) {
  return (job: number, count: number): Buffer => {
    change(columns);
    return resultFrame(job, { any, columns, count, newTexts, failures });
  };
}

const quiet = (): void => undefined;
const mark = (bits: number) => (shared: SharedColumns) => void shared.changes.fill(bits);

/** Each answers a run of `count` readings as no honest child does. */
const forgeries: Readonly<Record<string, (job: number, count: number) => Buffer>> = {
  'too few readings': (job, count) =>
    resultFrame(job, { any: 0, columns, count: count - 1, newTexts: '', failures: '' }),
  'too many readings': (job, count) =>
    resultFrame(job, { any: 0, columns, count: count + 1, newTexts: '', failures: '' }),
  'another job': (job, count) => resultFrame(job + 1, { any: 0, columns, count, newTexts: '', failures: '' }),
  'changes that it does not tell': forged(mark(1), 2),
  'changes that there are not': forged(mark(128), 128),
  'a value that is none': forged((shared) => {
    mark(1)(shared);
    shared.values.fill(NaN);
  }, 1),
  'an infinite value': forged((shared) => {
    mark(1)(shared);
    shared.values.fill(Infinity);
  }, 1),
  'a quality that there is not': forged((shared) => {
    mark(2)(shared);
    shared.quality.fill(77);
  }, 2),
  'the quality missing': forged((shared) => {
    mark(2)(shared);
    shared.quality.fill(4);
  }, 2),
  'a unit that is none': forged((shared) => {
    mark(4)(shared);
    shared.unit.fill(3);
  }, 4),
  'a text beyond the last': forged((shared) => {
    mark(8)(shared);
    shared.method.fill(60_000);
  }, 8),
  'a text that is too long': forged(mark(16), 16, ['x'.repeat(1_000_000), '']),
  'a text of control characters': forged(mark(16), 16, ['a\u001b[2Jb', '']),
  'failures that are no list': forged(mark(64), 64, ['rule-failed:x', '{"length":3}']),
  'failures that are no JSON': forged(mark(64), 64, ['rule-failed:x', '[[']),
  'a failure of another step': forged(mark(64), 64, ['x', '[{"index":0,"step":9,"code":"rule-threw","message":"m"}]']),
  'a failure beyond the last': forged(mark(64), 64, [
    'x',
    '[{"index":9999,"step":0,"code":"rule-threw","message":"m"}]',
  ]),
  'a failure on __proto__': forged(mark(64), 64, [
    'x',
    '[{"index":"__proto__","step":0,"code":"rule-threw","message":"m"}]',
  ]),
  'a failure with a code of its own': forged(mark(64), 64, [
    'x',
    '[{"index":0,"step":0,"code":"toString","message":"m"}]',
  ]),
  'a failed flow without a step': (job) => noticeFrame(replyKind.failed, job, '["rule-threw",-1,"m"]'),
  'a kind that there is not': (job) => noticeFrame(99, job),
  'that it lacks names, for ever': (job) => noticeFrame(replyKind.namesWanted, job),
  'that it lacks the flow, for ever': (job) => noticeFrame(replyKind.flowUnknown, job),
  'a step that there is not': (job) => noticeFrame(replyKind.step, job, '7'),
  'a step that is no number': (job) => noticeFrame(replyKind.step, job, 'constructor'),
  'a frame of four gigabytes': (job) => withLength(noticeFrame(replyKind.result, job), 0xffff_fff8),
  'a frame without a length': (job) => withLength(noticeFrame(replyKind.result, job), 0),
  'sections that are not there': (job, count) => {
    const frame = new FrameWriter(padded(8));
    frame.header.set([word.kind, replyKind.result, job, 127, count, 0xffff_ffff, 0xffff_ffff], 0);
    frame.header[word.bytes] = frame.bytes.length;
    frame.header[word.kind] = replyKind.result;
    frame.header[word.job] = job;
    return frame.bytes;
  },
};

function withLength(frame: Buffer, bytes: number): Buffer {
  frame.writeUInt32LE(bytes, 0);
  return frame;
}

function send(frame: Buffer): void {
  for (let sent = 0; sent < frame.length;) {
    sent += writeSync(1, frame, sent);
  }
}

process.on('SIGTERM', quiet);
const input = new FrameInput((into) => readSync(0, into, 0, into.length, null), 2 ** 26);
send(noticeFrame(replyKind.ready, 0));
for (let frame = input.next(); frame !== undefined; frame = input.next()) {
  if (frame.header[word.kind] !== requestKind.run) {
    continue;
  }
  const { job, count, texts, traced } = readRun(frame);
  const forge = forgeries[texts.split('\n').at(-1) ?? ''];
  columns.changes.fill(0);
  if (traced) {
    send(noticeFrame(replyKind.step, job, '0'));
  }
  send(
    forge === undefined ? resultFrame(job, { any: 0, columns, count, newTexts: '', failures: '' }) : forge(job, count),
  );
}
process.exit(0);
