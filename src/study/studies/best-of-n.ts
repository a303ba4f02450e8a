/** How far RL comes with more images, and what holds it back, beside the best of n images of the pre-trained model. */
import { baseArm, bestOfArm, dpok as train, drawnInGroups, method, policyArm } from '../recipes.ts'
import type { Arm, Bench, Claim, Coefficients, Look, Study, Tuning } from '../study.ts'
import { dpok as rl, sweptMeasures, usual } from './dpok.ts'
import { nftTuning } from './methods.ts'

/** Of the images that every fine-tuning may draw. */
const shares = [0.25, 1, 4]
const most = 16
const nftShares = [1, 4, most]
/** Of the arms that are trained on many prompts. */
const manyShare = 4
const nftManyShares = [manyShare, most]
/** By which DiffusionNFT is held to the pre-trained model, on many prompts with the most images. */
const referenceWeights = [0.1, 0.3, 1]

/** Trained on many prompts. */
const onMany = (bench: Bench): Bench => ({ ...bench, prompts: { ...bench.prompts, trained: bench.prompts.many } })
/** DiffusionNFT on many prompts moves far: what is chosen is how it is held, at the rate that is chosen on few. */
const nftManyTuning: Tuning = {
  name: 'nft on many prompts',
  candidates: [1e-4, 0.1, 1].map((referenceWeight) => ({ learningRate: 1e-3, referenceWeight })),
  train: (bench, coefficients) =>
    method(onMany(bench), 'policy nft', `DiffusionNFT${manyPrompts}, γ ${coefficients.referenceWeight}`, {
      ...coefficients,
      imagesDrawn: manyShare * drawnInGroups(bench),
    }),
}

function arms(bench: Bench, chosen: Readonly<Record<string, Coefficients>>): Arm[] {
  const { size, prompts } = bench
  const settings = { ...usual, ...chosen.dpok }
  const all = prompts.trainedCount * size.drawnPerPrompt
  const of = (name: string, title: string, more: Record<string, number | string>, isJudged = false): Arm => {
    const { imagesDrawn = all } = more
    return {
      ...policyArm(bench, { name, title }, train(bench, title, { ...settings, ...more }, { isJudged })),
      at: Number(imagesDrawn),
    }
  }
  const nft = (share: number): Arm => {
    const title = `DiffusionNFT${timesAsMany(share)}`
    const imagesDrawn = share * drawnInGroups(bench)
    const policy = method(bench, 'policy nft', title, { ...chosen.nft, imagesDrawn })
    return { ...policyArm(bench, { name: `nft-${share}`, title }, policy), at: imagesDrawn }
  }
  const nftOnMany = (name: string, title: string, share: number, more: Coefficients = {}): Arm => {
    const held = { ...chosen[nftManyTuning.name], ...more }
    const policy = method(onMany(bench), 'policy nft', title, { ...held, imagesDrawn: share * drawnInGroups(bench) })
    return policyArm(bench, { name, title }, policy)
  }
  const nftMany = (share: number): Arm => {
    const arm = nftOnMany(`nft-prompts-${share}`, nftManyTitle(share), share)
    return { ...arm, at: share * drawnInGroups(bench) }
  }
  const nftHeld = (referenceWeight: number): Arm => {
    const title = `${nftManyTitle(most)}, γ = ${referenceWeight}`
    return { ...nftOnMany(heldName(referenceWeight), title, most, { referenceWeight }), at: referenceWeight }
  }
  const many = (): Arm => {
    const title = `${titleOf(manyShare)}${manyPrompts}`
    const policy = train(onMany(bench), title, { ...settings, imagesDrawn: manyShare * all })
    return { ...policyArm(bench, { name: `prompts-${manyShare}`, title }, policy), at: manyShare * all }
  }
  const drawn = (share: number) => ({ ...(share !== 1 && { imagesDrawn: Math.round(share * all) }) })
  return [
    baseArm(bench),
    bestOfArm(bench, 4),
    ...shares.map((share) => of(`images-${share}`, titleOf(share), drawn(share))),
    ...[1, 4].map((share) => of(`judge-${share}`, `${titleOf(share)}, the judge as its reward`, drawn(share), true)),
    ...[1, 4].map((share) => of(`kl-0-${share}`, `${titleOf(share)}, no KL`, { ...drawn(share), klWeight: 0 })),
    ...nftShares.map((share) => nft(share)),
    many(),
    ...nftManyShares.map((share) => nftMany(share)),
    ...referenceWeights.map((weight) => nftHeld(weight)),
    of('updates-9', 'DPOK, three times as many updates an iteration', { gradientSteps: 9 }),
    of('rollouts-384', 'DPOK, four times as many roll-outs an iteration', { rolloutsPerIteration: 384 }),
  ]
}

const timesAsMany = (share: number) => (share === 1 ? '' : `, ${share} × the images`)
const titleOf = (share: number) => `DPOK${timesAsMany(share)}`
const heldName = (referenceWeight: number) => `nft-prompts-${most}-held-${referenceWeight}`
const manyPrompts = ', on all prompts but the unseen'
const nftManyTitle = (share: number) => `DiffusionNFT${timesAsMany(share)}${manyPrompts}`

const alignsAgainst = (arm: string) =>
  (['seen', 'unseen'] as const).map((split) => ({
    says: `alignment on ${split} prompts less that of best-of-4`,
    unit: 'points' as const,
    bound: -0.02,
    of: (look: Look) => look(arm, 'alignment', split) - look('best-of-4', 'alignment', split),
  }))
const against = (arm: string, method: string) => [
  ...alignsAgainst(arm),
  {
    says: `Fréchet distance of the pre-trained model less that of ${method}`,
    unit: 'number' as const,
    of: (look: Look) => look('base', 'frechet') - look(arm, 'frechet'),
  },
]

const claims: readonly Claim[] = [
  {
    says: 'With four times the images, DPOK alone is not worse than best-of-4 (by more than 2 points), and its images are no further from true ones than the pre-trained model’s.',
    source: 'What RL has to show to be worth its training',
    parts: against('images-4', 'DPOK'),
  },
  {
    says: 'So it is with the judge as its reward.',
    source: 'Upper bound: nobody has such a reward',
    parts: against('judge-4', 'DPOK'),
  },
  {
    says: 'With sixteen times the images, so it is with DiffusionNFT and the usual reward.',
    source: 'Ours',
    parts: against(`nft-${most}`, 'DiffusionNFT'),
  },
  ...nftManyShares.map((share) => ({
    says: `With ${share === most ? 'sixteen' : 'four'} times the images, so it is with DiffusionNFT where it trains on prompts that nobody labelled as well.`,
    source: 'Ours: a reward can score images of any prompt',
    parts: against(`nft-prompts-${share}`, 'DiffusionNFT'),
  })),
  ...[0.1, 0.3].map((weight) => ({
    says: `With sixteen times the images, so it is where γ = ${weight} holds it.`,
    source: 'Ours',
    parts: against(heldName(weight), 'DiffusionNFT'),
  })),
  {
    says: 'Held by γ = 0.1, DiffusionNFT alone aligns images no worse than best-of-4 (by more than 2 points), wherever its images have moved.',
    source: 'Ours',
    parts: alignsAgainst(heldName(0.1)),
  },
  {
    says: 'γ trades alignment for nearness to true images: with less of it, images are better aligned and further from true ones.',
    source: 'The system’s own claim on balancing coefficients',
    parts: [
      {
        says: 'alignment on seen prompts at γ = 0.1 less that at 0.3',
        unit: 'points',
        of: (look) => look(heldName(0.1), 'alignment', 'seen') - look(heldName(0.3), 'alignment', 'seen'),
      },
      {
        says: 'Fréchet distance at γ = 0.1 less that at 0.3',
        unit: 'number',
        of: (look) => look(heldName(0.1), 'frechet') - look(heldName(0.3), 'frechet'),
      },
    ],
  },
  {
    says: 'What holds DPOK back is the number of its prompts: on many it aligns images of unseen ones better.',
    source: 'Ours',
    parts: [
      {
        says: 'alignment on unseen prompts where it trains on all others less that where it trains on the labelled ones, four times the images',
        unit: 'points',
        of: (look) => look('prompts-4', 'alignment', 'unseen') - look('images-4', 'alignment', 'unseen'),
      },
    ],
  },
  {
    says: 'So it is of DiffusionNFT.',
    source: 'Ours',
    parts: [
      {
        says: 'alignment on unseen prompts where it trains on all others less that where it trains on the labelled ones, four times the images',
        unit: 'points',
        of: (look) => look('nft-prompts-4', 'alignment', 'unseen') - look('nft-4', 'alignment', 'unseen'),
      },
    ],
  },
  {
    says: 'What holds DPOK back is its reward: with the judge in its place it aligns better.',
    source: 'Ours',
    parts: [1, 4].map((share) => ({
      says: `alignment on seen prompts with the judge less that with the reward, ${share === 1 ? 'the usual images' : 'four times as many'}`,
      unit: 'points',
      of: (look) => look(`judge-${share}`, 'alignment', 'seen') - look(`images-${share}`, 'alignment', 'seen'),
    })),
  },
  {
    says: 'What holds DPOK back is the KL: without it, it aligns better.',
    source: 'Ours',
    parts: [
      {
        says: 'alignment on seen prompts without it less that with it, four times the images',
        unit: 'points',
        of: (look) => look('kl-0-4', 'alignment', 'seen') - look('images-4', 'alignment', 'seen'),
      },
    ],
  },
  {
    says: 'More images make DPOK better still.',
    source: 'Fan et al. 2023, figure 4',
    parts: [
      {
        says: 'alignment on seen prompts with four times the images less that with the usual',
        unit: 'points',
        of: (look) => look('images-4', 'alignment', 'seen') - look('images-1', 'alignment', 'seen'),
      },
    ],
  },
]

export const bestOfN: Study = {
  name: 'best-of-n',
  title: 'RL against best-of-n: images, and what holds it back',
  question: 'With how many images does RL reach the best of four images of the pre-trained model?',
  tunings: [...rl.tunings.filter(({ name }) => name === 'dpok'), nftTuning, nftManyTuning],
  arms,
  claims,
  sweeps: [
    {
      title: 'Images drawn',
      axis: 'images',
      isLogarithmic: true,
      measures: sweptMeasures,
      lines: [
        { title: 'DPOK', arms: shares.map((share) => `images-${share}`) },
        { title: 'DiffusionNFT', arms: nftShares.map((share) => `nft-${share}`) },
        { title: 'DiffusionNFT, on many prompts', arms: nftManyShares.map((share) => `nft-prompts-${share}`) },
        { title: 'The judge as its reward', arms: [1, 4].map((share) => `judge-${share}`) },
        { title: 'No KL', arms: [1, 4].map((share) => `kl-0-${share}`) },
      ],
    },
    {
      title: 'How DiffusionNFT is held on many prompts',
      axis: 'γ',
      isLogarithmic: true,
      measures: sweptMeasures,
      lines: [{ title: `${most} × the images`, arms: referenceWeights.map((weight) => heldName(weight)) }],
    },
  ],
}
