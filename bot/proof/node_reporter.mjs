// A reporter for `node --test`: one line of JSON for each test that ended, with its file and the suites around it.
// Node's own JUnit reporter names neither: https://nodejs.org/api/test.html#test-reporters
export default async function* report(source) {
  const names = new Map();
  const printed = new Map();
  for await (const { type, data } of source) {
    const key = (level) => `${data.file}\0${level}`;
    if (type === 'test:start') names.set(key(data.nesting), data.name);
    if (type === 'test:stderr' || type === 'test:stdout')
      printed.set(data.file, ((printed.get(data.file) ?? '') + data.message).slice(-4000));
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite' && type === 'test:pass') continue;
    const cause = data.details?.error?.cause ?? data.details?.error;
    if (data.details?.error?.failureType === 'subtestsFailed') continue;
    const path = Array.from({ length: data.nesting }, (_, level) => names.get(key(level)) ?? '');
    const whole = data.nesting === 0 && typeof data.file === 'string' && data.file.endsWith(data.name);
    const failure = whole ? printed.get(data.file) : undefined;
    yield JSON.stringify({
      file: data.file ?? '',
      path: [...path, data.name],
      whole,
      passed: type === 'test:pass',
      skipped: data.skip !== undefined || data.todo !== undefined,
      milliseconds: data.details?.duration_ms ?? 0,
      message: type === 'test:fail' ? String(failure ?? cause?.stack ?? cause?.message ?? cause ?? '') : '',
    }) + '\n';
  }
}
