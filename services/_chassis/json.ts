/** What a text says; undefined where it is not JSON, which no schema of ours lets pass. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
