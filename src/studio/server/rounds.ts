/** Rounds: images that a policy drew for people to judge; and who came from whom. */
import { JobDetail } from '../schemas/jobs.ts'
import { Lineage, NewRound, Rounds, type LineageNode, type Round } from '../schemas/runs.ts'
import type { Studio } from '../studio.ts'
import { factsOf } from '../../stages.ts'
import { runNameOf } from '../workspace.ts'
import { comparisonPrefix, type StudioRun } from '../runs.ts'
import { worldOf } from '../worlds.ts'
import { jsonRoute } from './route.ts'
import { startStage } from './starting.ts'

/** Oldest first, without those that are archived. */
export async function roundsOf(studio: Pick<Studio, 'store' | 'rounds' | 'notes'>): Promise<Round[]> {
  return (await everyRound(studio)).filter(({ name }) => !studio.notes.isArchived(name))
}

async function everyRound({ store, rounds: book }: Pick<Studio, 'store' | 'rounds'>): Promise<Round[]> {
  const [drawn, isJudged] = await Promise.all([book.drawn(), store.judged()])
  return drawn.map(({ name, policy, createdAt, images, prompts }) => ({
    name,
    policy,
    at: createdAt,
    images: images.length,
    judged: images.filter(isJudged).length,
    prompts,
  }))
}

export const roundRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/rounds',
    summary: 'All rounds of images.',
    who: 'admin',
    answer: Rounds,
    handle: async ({ studio }) => ({ rounds: await roundsOf(studio) }),
  }),
  jsonRoute({
    method: 'post',
    path: '/api/rounds',
    summary: 'Let a policy draw a round of images.',
    who: 'admin',
    body: NewRound,
    bodyLimit: 1_000_000,
    answer: JobDetail,
    handle: async ({ studio, body }) => {
      const { policy, prompts, promptCount, perPrompt } = body
      const settings = {
        policy: policy === 'pretrained' ? null : policy,
        prompts: prompts ?? null,
        promptCount,
        perPrompt,
      }
      return studio.views.detail(await startStage(studio, 'images generate', settings))
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/lineage',
    summary: 'Who came from whom: rounds, rewards, policies and reports.',
    who: 'admin',
    answer: Lineage,
    handle: async ({ studio }) => lineageOf(studio, await everyRound(studio), await firstAnswers(studio)),
  }),
]

type Edge = Lineage['edges'][number]

/** When the images of a round were first judged. */
async function firstAnswers({ store, rounds: book }: Pick<Studio, 'store' | 'rounds'>): Promise<Map<string, string>> {
  const first = new Map<string, string>()
  for (const { kind, answer, images, at } of await store.judgments()) {
    if (kind === 'vote' || answer === 'skip') continue
    const time = new Date(at).toISOString()
    for (const image of images) if (time < (first.get(image) ?? '~')) first.set(image, time)
  }
  return new Map(
    (await book.all()).flatMap(({ name, images }) => {
      const [earliest] = images.flatMap((image) => first.get(image) ?? []).sort()
      return earliest === undefined ? [] : [[name, earliest] as const]
    }),
  )
}

/** A reward learned from the judgments of all rounds that had some when it began. */
function lineageOf(
  { runs, notes, model }: Pick<Studio, 'runs' | 'notes' | 'model'>,
  rounds: readonly Round[],
  answered: ReadonlyMap<string, string>,
): Lineage {
  const label = (name: string) => notes.of(name).title ?? name
  const archived = (name: string) => notes.isArchived(name)
  const shown = runs
    .all()
    .filter(({ name, manifest }) => kindOf(manifest.stage) !== undefined && !name.startsWith(comparisonPrefix))
  const ids = new Set(['pretrained', ...shown.map(({ name }) => name), ...rounds.map(({ name }) => name)])
  const edges = shown.flatMap(({ name, manifest, config }): Edge[] => {
    const parents = Object.entries(manifest.parents).flatMap(([role, path]): Edge[] => {
      const from = runNameOf(path)
      const kind = role.startsWith('images') ? 'images' : role === 'reward' || role === 'scorer' ? 'reward' : 'policy'
      return ids.has(from) && !['prompts', 'feedback', 'distractors'].includes(role)
        ? [{ from, to: name, role: kind }]
        : []
    })
    const isFirst = ['round', 'policy'].includes(kindOf(manifest.stage) ?? '') && (config.policy ?? null) === null
    const judged =
      kindOf(manifest.stage) !== 'reward'
        ? []
        : rounds.filter(
            (round) => round.at < manifest.startedAt && (answered.get(round.name) ?? '~') < manifest.startedAt,
          )
    return [
      ...parents,
      ...(isFirst ? [{ from: 'pretrained', to: name, role: 'policy' }] : []),
      ...judged.map((round) => ({ from: round.name, to: name, role: 'judgments' })),
    ]
  })
  const kept = [
    ...new Map(edges.filter(({ from, to }) => from !== to).map((edge) => [`${edge.from} ${edge.to}`, edge])).values(),
  ]
  const depths = depthsOf([...ids], kept)
  const nodes: LineageNode[] = [
    {
      id: 'pretrained',
      kind: 'pretrained',
      label: worldOf(model) === undefined ? model.slice(0, 80) : 'pretrained',
      stage: null,
      facts: {},
      at: null,
      depth: 0,
      archived: false,
    },
    ...rounds.map(({ name, images, judged, at }): LineageNode => ({
      id: name,
      kind: 'round',
      label: label(name),
      stage: null,
      facts: { images, judged },
      at,
      depth: depths.get(name) ?? 0,
      archived: archived(name),
    })),
    ...shown
      .filter(({ name }) => !rounds.some((round) => round.name === name))
      .map(({ name, manifest }): LineageNode => ({
        id: name,
        kind: kindOf(manifest.stage)!,
        label: label(name),
        stage: manifest.stage,
        facts: factsToTell(manifest),
        at: manifest.finishedAt,
        depth: depths.get(name) ?? 0,
        archived: archived(name),
      })),
  ]
  return { nodes, edges: kept }
}

/** The best of n images are drawn by what is as good as a policy. */
function kindOf(stage: string): LineageNode['kind'] | undefined {
  const kind = factsOf(stage)?.kind
  return kind === 'best-of-n' ? 'policy' : kind
}

function factsToTell({ stage, results }: StudioRun['manifest']): LineageNode['facts'] {
  const { labels, imagesDrawn: images, updates } = results
  const auc = (results.heldOut as Record<string, unknown> | null)?.auc
  const facts = Object.entries(kindOf(stage) === 'reward' ? { labels, auc } : { images, updates })
  return Object.fromEntries(facts.filter(([, value]) => typeof value === 'number'))
}

/** The longest way to each node; a graph of records has no circle, and one that had would not hang this. */
function depthsOf(ids: readonly string[], edges: readonly Edge[]): Map<string, number> {
  const depths = new Map(ids.map((id) => [id, 0]))
  for (const _pass of ids) {
    let isChanged = false
    for (const { from, to } of edges) {
      const depth = (depths.get(from) ?? 0) + 1
      if (depth <= (depths.get(to) ?? 0) || depth >= ids.length) continue
      depths.set(to, depth)
      isChanged = true
    }
    if (!isChanged) break
  }
  return depths
}
