/** The tables of the feedback database, as the newest migration leaves them. Times are ISO 8601 in UTC. */
import type { ColumnType, Generated } from 'kysely'

/** A column that is written once. */
type Fixed<T> = ColumnType<T, T, never>

export interface FeedbackTables {
  migrations: { name: string }
  images: {
    id: string
    /** The record's `file` is relative to it: see image-folders.ts. */
    folder: string
    /** ImageRecord as JSON. */
    record: string
    /** Grows with every change of the table: what was added or moved since is found by it. */
    revision: number
    /** Null: not archived. */
    archived_at: ColumnType<string | null, never, string | null>
  }
  judgments: {
    /** Order of arrival. */
    sequence: Generated<number>
    id: Fixed<string>
    kind: Fixed<string>
    /** Image ids in the order shown, as JSON. */
    images: Fixed<string>
    answer: Fixed<string>
    rater: Fixed<string>
    rater_kind: Fixed<string>
    at: Fixed<string>
    duration_ms: Fixed<number | null>
    undoes: Fixed<string | null>
    /** What this kind of judgment says beside its answer, as JSON: `ratings`, `ranks`, `reasons`, `shown`, … */
    details: Fixed<string>
  }
  raters: {
    name: string
    display_name: string
    role: string
    /** 1: what this rater says does not train. */
    excluded: number
    created_at: string
  }
  invitations: {
    id: string
    token_hash: string
    name: string
    role: string
    created_at: string
    expires_at: string
    accepted_at: string | null
  }
  sessions: {
    token_hash: string
    rater: string
    created_at: string
    expires_at: string
    /** `link` or `password`. */
    begun_by: string
  }
  passwords: {
    name: string
    /** With its cost and its salt: see studio/server/password-hash.ts. */
    hash: string
    changed_at: string
  }
  guidelines: {
    version: Generated<number>
    text: Fixed<string>
    /** List of `{code, label}` as JSON. */
    reasons: Fixed<string>
    consent: Fixed<string>
    /** List of `{image, answer, note}` as JSON. */
    examples: Fixed<string>
    author: Fixed<string | null>
    created_at: Fixed<string>
  }
  gold: { image: string; answer: string }
  rounds: { name: string; policy: string; purpose: string; created_at: string }
  round_images: { round: string; image: string }
  settings: { key: string; value: string }
  /** Labels about which raters differ, and that somebody else is asked about. */
  third_opinions: {
    /** `questionOf` the judgments. */
    question: string
    kind: string
    /** List of image ids, as JSON. */
    images: string
    /** Who had judged it when the opinion was asked for: names, as JSON. */
    raters: string
    asked_by: string
    asked_at: string
  }
  /** What people say of images in their own words: see comments.ts. */
  comments: {
    /** Made by the page; with the rater it tells a comment. */
    id: string
    rater: string
    image: string
    text: string
    at: string
    /** Null: it stands. */
    removed_at: ColumnType<string | null, never, string | null>
  }
  /** How often each table has changed: see versions.ts. */
  versions: { name: string; value: number }
  /** Images and labels on their way to raters: see reservations.ts. PostgreSQL alone has it. */
  reservations: {
    mode: string
    item: string
    rater: string
    /** Milliseconds since 1970. */
    until: number
    /** `judgments.sequence` of what was the newest judgment when it was answered: free for who knows of that one. */
    released: number | null
  }
  /** Who has seen which policy drew what: no vote of theirs on that comparison is blind any more. */
  opened_comparisons: { comparison: string; rater: string; opened_at: string }
  /** Addresses that show one report, or the outcome of one comparison, to whoever has them. */
  shared_links: { id: string; token_hash: string; kind: string; name: string; created_by: string; created_at: string }
  /** What admins have decided about single judgments. */
  decisions: {
    judgment: string
    /** `left-out` or `kept`. */
    decision: string
    decided_by: string
    decided_at: string
  }
  /** Questions that raters are asked once more. */
  asked_again: {
    rater: string
    /** `questionOf` the judgment. */
    question: string
    kind: string
    /** List of image ids, as JSON. */
    images: string
    /** The answer that is doubted. */
    judgment: string
    asked_by: string
    asked_at: string
  }
  /** By which scripts call the studio. */
  api_keys: {
    id: string
    token_hash: string
    name: string
    /** Whose it is: it can do no more than its owner. */
    owner: string
    role: string
    created_at: string
    expires_at: string
    last_used_at: string | null
  }
  /** What admins did, row by row: see raters/admin-log.ts. */
  admin_log: {
    sequence: Generated<number>
    at: Fixed<string>
    who: Fixed<string>
    api_key: Fixed<string | null>
    what: Fixed<string>
    /** `put /api/raters/Ada` */
    address: Fixed<string>
    /** JSON, as are `before` and `after`. */
    asked: Fixed<string>
    before: Fixed<string>
    after: Fixed<string>
    /** `done`, or the code of a refusal. */
    outcome: Fixed<string>
  }
}
