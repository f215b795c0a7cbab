import { readSync, writeSync } from 'node:fs';
import { exitCode, type ChildSettings } from './child-settings.ts';
import {
  ApartError,
  BackstopError,
  FlowIsolate,
  IsolateGoneError,
  StepError,
  type FlowStepSource,
} from './flow-isolate.ts';
import type { FrameReader } from './frame.ts';
import { word } from './frame.ts';
import { FrameInput } from './frame-input.ts';
import { noticeFrame, replyKind, resultFrame, setCpuMicros } from './reply.ts';
import { readDefine, readForget, readRun, requestKind, type RunRequest } from './request.ts';

// A sandbox's child process: reads requests from its standard input and answers on its standard output, one after the
// other, blocking. It needs no event loop, holds nothing but isolates, and ends when the parent's end is closed.

const settings = JSON.parse(process.argv.at(-1) ?? '') as ChildSettings;
/** By flow; the map's order is the order of use, the one unused for longest first. */
const isolates = new Map<number, FlowIsolate>();
/** How often memory is looked at beside when an isolate is made, and which part of all isolates goes at once when there is too little. */
const requestsPerLook = 64;
const letGoShare = 1 / 8;
let requests = 0;

function main(): void {
  // Ctrl-C goes to the whole group; the parent decides when a child has to end.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  const input = new FrameInput(readBlocking, settings.frameBytesMax);
  send(noticeFrame(replyKind.ready, 0));
  for (let frame = input.next(); frame !== undefined; frame = input.next()) {
    answer(frame);
  }
  process.exit(0);
}

function answer(frame: FrameReader): void {
  requests += 1;
  const defines = frame.header[word.kind] === requestKind.define;
  if ((defines || requests % requestsPerLook === 0) && process.memoryUsage.rss() > settings.residentBytesKept) {
    letGo(isolates.size - Math.ceil(isolates.size * letGoShare));
  }
  if (defines) {
    const { flow, json } = readDefine(frame);
    keep(flow, new FlowIsolate(JSON.parse(json) as FlowStepSource[], settings));
    return;
  }
  if (frame.header[word.kind] === requestKind.forget) {
    forget(readForget(frame));
    return;
  }
  const request = readRun(frame);
  const isolate = isolates.get(request.flow);
  if (isolate === undefined) {
    send(noticeFrame(replyKind.flowUnknown, request.job));
    return;
  }
  keep(request.flow, isolate);
  const since = process.cpuUsage();
  const reply = run(isolate, request);
  const { user, system } = process.cpuUsage(since);
  setCpuMicros(reply, user + system);
  send(reply);
}

function run(isolate: FlowIsolate, request: RunRequest): Buffer {
  const { job, flow } = request;
  try {
    const result = isolate.run(request, (step) => {
      send(noticeFrame(replyKind.step, job, String(step)));
    });
    return result === undefined ? noticeFrame(replyKind.namesWanted, job) : resultFrame(job, result);
  } catch (error) {
    if (error instanceof IsolateGoneError) {
      // What else is hurt when an isolate ran out of memory is not known: begin afresh.
      process.exit(exitCode.isolateOutOfMemory);
    }
    if (error instanceof BackstopError) {
      process.exit(exitCode.backstop);
    }
    if (error instanceof ApartError) {
      return noticeFrame(replyKind.apart, job);
    }
    if (error instanceof StepError) {
      forget(flow);
      return noticeFrame(replyKind.failed, job, JSON.stringify([error.code, error.step, error.message]));
    }
    throw error;
  }
}

function keep(flow: number, isolate: FlowIsolate): void {
  isolates.delete(flow);
  isolates.set(flow, isolate);
  letGo(settings.isolatesMax);
}

/** Drops the isolates unused for longest until so many are left. */
function letGo(left: number): void {
  for (const oldest of isolates.keys()) {
    if (isolates.size <= left) {
      return;
    }
    forget(oldest);
  }
}

function forget(flow: number): void {
  const isolate = isolates.get(flow);
  isolates.delete(flow);
  isolate?.dispose();
}

function readBlocking(into: Uint8Array): number {
  for (;;) {
    try {
      return readSync(0, into, 0, into.length, null);
    } catch (error) {
      // A signal came in between.
      if ((error as NodeJS.ErrnoException).code !== 'EINTR') {
        return 0;
      }
    }
  }
}

function send(frame: Buffer): void {
  for (let sent = 0; sent < frame.length;) {
    try {
      sent += writeSync(1, frame, sent);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINTR') {
        process.exit(0);
      }
    }
  }
}

main();
