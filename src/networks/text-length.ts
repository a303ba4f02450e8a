/** How long a text is to a text encoder, with the tokens of its start and end. */
export interface TextLength {
  /** What the whole text needs. */
  readonly tokens: number
  /** What is read of a text: what is beyond is cut off. */
  readonly read: number
}
