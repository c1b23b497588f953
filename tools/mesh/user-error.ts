/** A failure that its user can do something about: the message says what is wrong and what to do, and needs no stack. */
export class UserError extends Error {}
