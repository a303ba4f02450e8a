import { plainReward } from './plain-reward.ts'

/** How red an image is: the mean of red minus half of green and blue, of which each is 0 to 1. */
export const redness = plainReward({
  name: 'redness',
  version: 1,
  range: [-1, 1],
  isSmooth: true,
  score(pixels) {
    const [red, green, blue] = [0, 1, 2].map((channel) => pixels.select(1, channel).flatten(1).mean(1))
    return red.sub(green.add(blue).div(2)).div(2)
  },
})
