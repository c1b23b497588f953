export function strangerIsBuilt(): boolean;
export function buildStranger(): Promise<string>;
