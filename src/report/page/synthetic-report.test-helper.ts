/** A report of invented numbers with hostile texts, for tests of the page. */
import type { Picture } from '../../images/png.ts'
import { random } from '../../random.ts'
import type { ReportInput } from './page.ts'
import { splits, type Report } from '../schema.ts'
import { thumbnailOf } from './thumbnail.ts'

const names = ['base', 'best-of-n', 'reward-weighted', 'dpok'] as const
type Name = (typeof names)[number]

const hostile = `"><script>alert('1')</script><img src=x onerror=alert(1)> & two 'red' circles \u0000`

/** Red to the right, green downwards. */
export const gradient = (side: number, blue = 64): Picture => ({
  bytes: new Uint8Array(
    Array.from({ length: side * side }, (_, i) => [(255 * (i % side)) / side, (255 * i) / side / side, blue]).flat(),
  ),
  width: side,
  height: side,
})

/**
 * Measured by a judge: small pictures, a reward that was trained on labels, categories. By a reward: large pictures, a
 * ready-made reward, free text.
 */
export async function syntheticReport(measuredBy: 'judge' | 'reward' = 'judge'): Promise<ReportInput> {
  const byJudge = measuredBy === 'judge'
  const thumbnail = await thumbnailOf(gradient(byJudge ? 24 : 320))
  const around = (mean: number, half: number) => ({ mean, low: mean - half, high: mean + half })
  const alignment: Record<Name, [number, number]> = {
    base: [0.4, 0.35],
    'best-of-n': [0.5, 0.42],
    'reward-weighted': [0.48, 0.37],
    dpok: [0.58, 0.43],
  }
  // a win rate of the base over itself is one half
  const share = (name: Name, s: number) =>
    byJudge ? alignment[name][s] : name === 'base' ? 0.5 : alignment[name][s] + 0.08
  const half = (name: Name) => (name === 'base' && !byJudge ? 0 : 0.05)
  const policies = names.map((name, p) => ({
    name,
    imagesDrawn: [0, 3200, 14600, 14600][p],
    updates: [0, 0, 900, 600][p],
    seconds: [0, 12.5, 240, 250][p],
    ...(name === 'best-of-n' ? { bestOf: 4 } : {}),
    klNats: { ...around([0, 0.636, 6, 8][p], 0), ...(name === 'best-of-n' ? { of: 'image' as const } : {}) },
    meanReward: around(0.4 + 0.05 * p, 0.02),
    fidelity: { frechet: [248, 240, 380, 180][p], low: 150, high: 400, validShare: byJudge ? 0.9 : null },
    diversity: around(0.6, 0.02),
    measures: {
      'kernel-distance': around(0.004 - 0.001 * p, 0.002),
      precision: around(0.9, 0.02),
      density: around(0.95, 0.04),
      recall: around(0.85, 0.03),
      coverage: around(0.88, 0.03),
      'vendi-within': around(2.4, 0.1),
      'vendi-overall': around(13.5, 0.3),
    },
    ...(Object.fromEntries(
      splits.map((split, s) => [
        split,
        {
          n: 400,
          measuredBy,
          alignment: around(share(name, s), half(name)),
          differenceToBase: around(share(name, s) - share('base', s), name === 'base' ? 0 : 0.05),
          byCategory: byJudge
            ? { color: { n: 100, ...around(0.5, 0.1) }, combination: { n: 100, ...around(0.2, 0.1) } }
            : {},
        },
      ]),
    ) as Pick<Report['policies'][0], 'seen' | 'unseen'>),
  }))
  const stream = random(1)
  const curve = (policy: Name, length: number) => ({
    policy,
    points: Array.from({ length }, (_, i) => ({
      imagesDrawn: 96 * (i + 1),
      reward: 0.4 + 0.002 * i + 0.02 * stream.normal(),
      klNats: 0.05 * i,
      ...(policy === 'dpok' ? { explainedVariance: Math.min(0.6, 0.01 * i) } : {}),
    })),
  })
  return {
    report: {
      schema: 1,
      seconds: 640,
      machine: '2 × <Example> CPU, Linux x64',
      torch: '2.9.1',
      reward: byJudge
        ? { labels: 3120, heldOut: { n: 800, accuracy: 0.84, auc: 0.92, clipScoreAuc: 0.79, ece: 0.03 } }
        : null,
      policies,
      details: {
        measurement: {
          seed: 1,
          tuningSeed: 7,
          promptsSeen: 50,
          promptsUnseen: 50,
          imagesPerPrompt: 8,
          sampler: 'ddim',
          steps: 10,
          eta: 1,
          guidance: 1.5,
          selectionRule: 'Highest held-out reward.',
          ...(byJudge
            ? { simulatedRater: { errorRate: 0.05, skipRate: 0.05 }, rewardRange: [0, 1] as [number, number] }
            : { rewardName: 'CLIP score', scorer: hostile, reference: 'other images of the base model' }),
        },
        comparisons: splits.map((split) => ({
          policy: 'dpok' as const,
          against: 'reward-weighted' as const,
          split,
          difference: around(0.06, 0.04),
        })),
        curves: [curve('reward-weighted', 5), curve('dpok', 60)],
        ...(byJudge && {
          reliability: [
            { low: 0.1, high: 0.2, n: 40, predicted: 0.15, observed: 0.12 },
            { low: 0.8, high: 0.9, n: 90, predicted: 0.86, observed: 0.9 },
          ],
        }),
        caveats: [hostile],
        stages: [{ name: hostile, seconds: 30 }],
        config: { 'dpok.klWeight': 0.01 },
      },
    },
    grids: splits.map((split) => ({
      prompt: hostile,
      split,
      cells: names.map((policy) => ({
        policy,
        images: (byJudge ? (['good', 'bad'] as const) : (['good', 'bad', 'equal'] as const)).map((mark, i) => ({
          thumbnail,
          mark: policy === 'base' && !byJudge ? undefined : mark,
          seed: i + 1,
        })),
      })),
    })),
  }
}
