/** What `model inspect` says of the models that lie here: each is looked at once, in the background, as long as it stays as it is. */
import { AttuneError } from '../../errors.ts'
import { withoutPlaces, type Workspace } from '../workspace.ts'
import type { KnownModel } from './known-models.ts'
import { doModelTask, type InspectionResult } from './model-tasks.ts'

export class Inspections {
  readonly #workspace: Workspace
  readonly #known = new Map<string, InspectionResult>()
  readonly #underWay = new Set<string>()

  constructor(workspace: Workspace) {
    this.#workspace = workspace
  }

  /** Null while it is being looked at. */
  of({ mark }: KnownModel): InspectionResult | null {
    return this.#known.get(mark) ?? null
  }

  /** Begins with those that nobody has looked at. */
  look(models: readonly KnownModel[]): void {
    const fresh = models.filter(
      ({ mark, isPartial }) => !isPartial && !this.#known.has(mark) && !this.#underWay.has(mark),
    )
    if (fresh.length === 0) return
    for (const { mark } of fresh) this.#underWay.add(mark)
    void this.#inspect(fresh)
  }

  async #inspect(models: readonly KnownModel[]): Promise<void> {
    const { folder } = this.#workspace
    for (const { name, mark } of models) {
      try {
        const told = await doModelTask<InspectionResult>(name, { kind: 'inspect', folder, model: name })
        this.#known.set(mark, told)
      } catch (error) {
        const message = error instanceof AttuneError ? `${error.received}: ${error.remedy}` : 'it cannot be looked at'
        this.#known.set(mark, { rows: [], error: message, licence: null })
      } finally {
        this.#underWay.delete(mark)
      }
    }
  }

  /** As they may be shown: without the places of this machine. */
  shown(told: InspectionResult): InspectionResult {
    const clean = (text: string) => withoutPlaces(this.#workspace, text)
    return {
      ...told,
      rows: told.rows.map(([label, value]) => [label, clean(value)] as const),
      error: told.error === null ? null : clean(told.error),
    }
  }
}
