/** Names that the server gives in English; English shows those as they are. */

interface Stage {
  readonly title: string
  readonly sentence: string
}
type ByName<T> = Readonly<Record<string, T>>

export const names = {
  /** By their commands. */
  stages: {} as ByName<Stage>,
  /** Of `metrics.jsonl` and of results, by their keys. */
  metrics: {} as ByName<string>,
}
