import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createTelemetry, labelSetsPerMetricMax, mergedPrometheusText, metricsMax, type LogLevel } from './index.ts';

function setUp(level: LogLevel = 'info') {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  return { lines, telemetry: createTelemetry({ service: 'ingest', level, stream }) };
}

const key = `mf_0123456789abcdef_${'s3cret-_'.repeat(5)}abc`;

describe('the log', () => {
  test('is one JSON line a call, with time, level, service and fields', () => {
    const { lines, telemetry } = setUp();
    telemetry.logger.warn('paused', { backOffMs: 100, nested: { topic: 'a' } });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/\n$/);
    const line = JSON.parse(lines[0]!) as Record<string, unknown>;
    expect(line).toMatchObject({ level: 'warn', service: 'ingest', message: 'paused', backOffMs: 100 });
    expect(line['nested']).toEqual({ topic: 'a' });
    expect(Date.parse(String(line['time']))).not.toBeNaN();
  });

  test('leaves out what is below its level', () => {
    const { lines, telemetry } = setUp('warn');
    telemetry.logger.info('no');
    telemetry.logger.error('yes');
    expect(lines).toHaveLength(1);
  });

  test('never shows a secret, by name or by look, at any depth', () => {
    const { lines, telemetry } = setUp();
    telemetry.logger.error(`refused ${key}`, {
      headers: { Authorization: `Bearer ${key}`, 'x-api-key': 'abc123' },
      list: [{ url: `/v1?key=${key}` }],
      error: new Error(`bad ${key}`, { cause: new Error(`worse ${key}`) }),
      password: 'abc123',
    });
    const line = lines.join('');
    expect(line).not.toContain('s3cret');
    expect(line).toContain('mf_0123456789abcdef_[redacted]');
    expect(JSON.parse(line)).toMatchObject({ password: '[redacted]', headers: { Authorization: '[redacted]' } });
  });

  test('shows the key of a message, which is no secret', () => {
    const { lines, telemetry } = setUp();
    telemetry.logger.info('dead letter', { key: 'acme/0123456789abcdef' });
    expect(JSON.parse(lines[0]!)).toMatchObject({ key: 'acme/0123456789abcdef' });
  });

  test('spells out an error with its code and its cause', () => {
    const { lines, telemetry } = setUp();
    const error = Object.assign(new Error('outer', { cause: new Error('inner') }), { code: 'off-grid' });
    telemetry.logger.error('failed', { error });
    const line = JSON.parse(lines[0]!) as { error: object };
    expect(line.error).toMatchObject({
      name: 'Error',
      code: 'off-grid',
      message: 'outer',
      cause: { message: 'inner' },
    });
  });

  test('survives what is circular, huge or binary', () => {
    const { lines, telemetry } = setUp();
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    telemetry.logger.info('odd', {
      circle,
      bytes: new Uint8Array(9),
      text: 'x'.repeat(1e6),
      many: Array(1e4).fill(0),
      n: 1n,
    });
    expect(lines[0]!.length).toBeLessThan(20_000);
    expect(JSON.parse(lines[0]!)).toMatchObject({ bytes: '[9 bytes]', n: '1' });
  });

  test('goes to standard error, all of it, also right before an exit', () => {
    const program = `
      const { createTelemetry } = await import(process.argv[1]);
      createTelemetry({ service: 'x', level: 'info' }).logger.info('last words');
      process.exit(3);`;
    const index = fileURLToPath(new URL('index.ts', import.meta.url));
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', program, index], { encoding: 'utf8' });
    expect(run).toMatchObject({ status: 3, stdout: '' });
    expect(JSON.parse(run.stderr)).toMatchObject({ message: 'last words' });
  });
});

describe('metrics', () => {
  test('are rendered as Prometheus text', () => {
    const { telemetry } = setUp();
    telemetry.count('stage_messages_total', 2, { stage: 'ingest', outcome: 'acked' });
    telemetry.count('stage_messages_total', 3, { outcome: 'acked', stage: 'ingest' });
    telemetry.count('stage_pauses_total');
    telemetry.gauge('bus_backlog_messages', 7);
    telemetry.gauge('bus_backlog_messages', 5);
    telemetry.observe('stage_handle_ms', 3);
    telemetry.observe('stage_handle_ms', 70_000);
    const text = telemetry.renderMetrics();
    expect(text).toContain(
      '# TYPE stage_messages_total counter\nstage_messages_total{outcome="acked",stage="ingest"} 5\n',
    );
    expect(text).toContain('\nstage_pauses_total 1\n');
    expect(text).toContain('# TYPE bus_backlog_messages gauge\nbus_backlog_messages 5\n');
    expect(text).toContain('stage_handle_ms_bucket{le="2"} 0\nstage_handle_ms_bucket{le="5"} 1\n');
    expect(text).toContain('stage_handle_ms_bucket{le="60000"} 1\nstage_handle_ms_bucket{le="+Inf"} 2\n');
    expect(text).toContain('stage_handle_ms_sum 70003\nstage_handle_ms_count 2\n');
    expect(text).toMatch(/\nprocess_resident_memory_bytes \d+\n/);
    for (const line of text.trim().split('\n')) {
      expect(line).toMatch(/^(# TYPE [a-z_]+ (counter|gauge|histogram)|[a-z_]+(\{[^}]*\})? [\d.e+-]+)$/);
    }
  });

  test('escape their labels', () => {
    const { telemetry } = setUp();
    telemetry.count('odd_total', 1, { name: 'a"b\\c\nd' });
    expect(telemetry.renderMetrics()).toContain('odd_total{name="a\\"b\\\\c\\nd"} 1\n');
  });

  test('stay bounded, whatever their labels and names', () => {
    const { telemetry } = setUp();
    for (let index = 0; index < labelSetsPerMetricMax + 100; index++) {
      telemetry.count('wild_total', 1, { meter: String(index) });
    }
    for (let index = 0; index < metricsMax + 100; index++) {
      telemetry.count(`wild_${index}_total`);
    }
    const text = telemetry.renderMetrics();
    expect(text).toContain('wild_total{overflow="true"} 100\n');
    expect(text.split('\n').length).toBeLessThan(labelSetsPerMetricMax + metricsMax * 2 + 20);
    expect(text).toMatch(/telemetry_observations_dropped_total 10\d\n/);
  });

  test('used as two types, or misnamed, are dropped and counted, and never throw', () => {
    const { telemetry } = setUp();
    telemetry.count('both');
    telemetry.gauge('both', 9);
    telemetry.count('no spaces please');
    expect(telemetry.renderMetrics()).toMatch(/\nboth 1\n[^]*telemetry_observations_dropped_total 2\n/);
  });

  test('are asked for what is looked up each time before they leave', () => {
    const { telemetry } = setUp();
    let backlog = 1;
    telemetry.onCollect(() => {
      telemetry.gauge('bus_backlog_messages', (backlog += 1));
    });
    expect(telemetry.renderMetrics()).toContain('bus_backlog_messages 2\n');
    expect(telemetry.renderMetrics()).toContain('bus_backlog_messages 3\n');
  });

  test('of several services become one text, in which each sample says whose it is', () => {
    const [{ telemetry: first }, { telemetry: second }] = [setUp(), setUp()];
    first.count('both_total', 1);
    first.count('both_total', 2, { tenant: 'acme' });
    second.count('both_total', 3);
    second.observe('one_ms', 4, { stage: 's' });
    const text = mergedPrometheusText([
      { service: 'a', text: first.renderMetrics() },
      { service: 'b', text: second.renderMetrics() },
    ]);
    expect(text).toContain(
      '# TYPE both_total counter\nboth_total{service="a"} 1\nboth_total{service="a",tenant="acme"} 2\nboth_total{service="b"} 3\n',
    );
    expect(text).toContain('one_ms_bucket{service="b",stage="s",le="5"} 1\n');
    expect(text.match(/# TYPE both_total/g)).toHaveLength(1);
  });
});
