/** Names of models on a hub, as people write them. Free of Node: pages check them too. */

/** A model on the hub, at a branch, tag or commit. */
export interface HubName {
  /** `owner/name` */
  readonly name: string
  readonly revision: string
}

const word = /^\w(?!.*\.\.)[\w.-]*$/

/** Whether a text has the form `owner/name`. */
export function isHubName(text: string): boolean {
  const parts = text.split('/')
  return parts.length === 2 && parts.every((one) => word.test(one) && !one.includes('--'))
}

/** Whether a text can name a branch, tag or commit. */
export function isRevision(text: string): boolean {
  return text.split('/').every((one) => word.test(one))
}

/** `owner/name` or `owner/name@revision`; undefined for anything else. */
export function parseHubName(text: string): HubName | undefined {
  const at = text.indexOf('@')
  const [name, revision] = at < 0 ? [text, 'main'] : [text.slice(0, at), text.slice(at + 1)]
  return isHubName(name) && isRevision(revision) ? { name, revision } : undefined
}
