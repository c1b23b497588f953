export interface Program {
  readonly path: string;
  readonly version: string;
}
export const pinned: { readonly daprd: string; readonly sentry: string; readonly dapr: string; readonly k6: string };
export function binariesDirectory(): string;
export function findDaprd(): Program | undefined;
export function findSentry(): Program | undefined;
export function findDapr(): Program | undefined;
export function findK6(): Program | undefined;
export function findPostgres(): { readonly bin: string; readonly major: number }[];
export function findRedis(): Program | undefined;
export function findChromium(): Program | undefined;
export function findGo(): Program | undefined;
