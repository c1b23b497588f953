export interface Program {
  readonly path: string;
  readonly version: string;
}
/** A program that is run with these arguments before its own. */
export interface Compose extends Program {
  readonly args: readonly string[];
}
export const pinned: Readonly<Record<'daprd' | 'sentry' | 'dapr' | 'k6' | 'compose', string>>;
export function binariesDirectory(): string;
export function findDaprd(): Program | undefined;
export function findSentry(): Program | undefined;
export function findDapr(): Program | undefined;
export function findK6(): Program | undefined;
export function findDocker(): Program | undefined;
export function findDockerd(): Program | undefined;
export function findCompose(): Compose | undefined;
export function findPostgres(): { readonly bin: string; readonly major: number }[];
export function findRedis(): Program | undefined;
export function findChromium(): Program | undefined;
export function findGo(): Program | undefined;
