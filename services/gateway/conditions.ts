import { createHash } from 'node:crypto';
import { problems } from './problems.ts';

// RFC 9110, 8.8.3 and 13.1.

const tag = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/;
const tags = new RegExp(`^${tag.source}(?:[ \\t]*,[ \\t]*${tag.source})*$`);
const versioned = /^"(\d{1,9})\.[\w-]+"$/;
const mostTags = 20;

/** The strong ETag of a body, which begins with its version where it has one; no two bodies have the same. */
export function etagOf(text: string, version?: number): string {
  const hash = createHash('sha256').update(text).digest('base64url').slice(0, 27);
  return version === undefined ? `"${hash}"` : `"${version}.${hash}"`;
}

/** Whether `If-None-Match` names this ETag, so that the client has the body already; what can't be read names none. */
export function namesTag(ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch === '*' || listOf(ifNoneMatch ?? '')?.some((one) => one.replace(/^W\//, '') === etag) === true;
}

/**
 * The versions that `If-Match` allows, undefined where any is right. Tags that are weak, or not of a version of ours, match
 * nothing; what is no list of tags is refused.
 */
export function readIfMatch(value: string | undefined): number[] | undefined {
  if (value === undefined || value === '*') return undefined;
  const given = listOf(value);
  if (!given || given.length > mostTags)
    throw problems.badRequest(`If-Match is not * or 1 to ${mostTags} entity tags.`);
  return given.flatMap((one) => versioned.exec(one)?.[1] ?? []).map(Number);
}

const listOf = (value: string): string[] | undefined =>
  tags.test(value.trim()) ? (value.match(new RegExp(tag, 'g')) ?? []) : undefined;
