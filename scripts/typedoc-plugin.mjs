/** For typedoc: every public name has a docstring; a schema and its type of one name share one. */
import { Application } from 'typedoc'

/** @param {Application} app */
export function load(app) {
  app.on(Application.EVENT_VALIDATE_PROJECT, ({ children = [] }) => {
    const described = new Set()
    for (const { name, comment, signatures = [], type } of children) {
      const places = [comment, ...signatures.map((signature) => signature.comment), type?.declaration?.comment]
      if (places.some((place) => place !== undefined)) described.add(name)
    }
    for (const { name, sources } of children) {
      if (!described.has(name)) app.logger.validationWarning(`${name} of ${sources?.[0]?.fileName} has no docstring`)
    }
  })
}
