/** What the labelling configuration of a Label Studio project says: which field each question is about. */

export interface LabelConfig {
  /** The fields of a task that a question is about, in the order of the screen; undefined where it does not say. */
  fieldsOf(question: string): readonly string[] | undefined
  /** The most stars of a rating; undefined where there is no such question. */
  starsOf(question: string): number | undefined
}

/** By default of Label Studio. */
export const usualStars = 5

/** @param xml `<View>…</View>`, as the project's settings show it */
export function labelConfig(xml: string | undefined): LabelConfig {
  const tags = [...(xml ?? '').matchAll(/<(\w+)\s([^<>]*)>/g)].map(([, tag, rest]) => ({
    tag: tag.toLowerCase(),
    attributes: new Map(
      [...rest.matchAll(/(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(([, name, double, single]): [string, string] => [
        name.toLowerCase(),
        double ?? single,
      ]),
    ),
  }))
  const find = (name: string) => tags.find(({ attributes }) => attributes.get('name') === name)
  return {
    fieldsOf(question) {
      const named = find(question)?.attributes.get('toname')?.split(',')
      const fields = named?.map((name) => /^\$(\w+)/.exec(find(name.trim())?.attributes.get('value') ?? '')?.[1])
      return fields?.every((field) => field !== undefined) === true ? fields : undefined
    },
    starsOf(question) {
      const { tag, attributes } = find(question) ?? {}
      return tag === 'rating' ? Number(attributes?.get('maxrating') ?? usualStars) : undefined
    },
  }
}
