/** Shows one line that changes where somebody watches; elsewhere, after two seconds, a line every ten. */
export function createProgressLine(stream: NodeJS.WriteStream): { show: (text: string) => void; clear: () => void } {
  let next = Date.now() + 2_000;
  if (stream.isTTY) {
    const clear = () => void stream.write('\r\x1b[K');
    return { show: (text) => void stream.write(`\r\x1b[K${text.slice(0, stream.columns - 1)}`), clear };
  }
  const show = (text: string) => {
    if (Date.now() < next) return;
    next = Date.now() + 10_000;
    stream.write(`${text}\n`);
  };
  return { show, clear: () => undefined };
}
