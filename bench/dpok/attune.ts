/** The TypeScript side of compare.ts: one iteration of DPOK a question. `attune.ts <size> <value | plain> <threads> <folder>`. */
import { useThreads } from '../../src/tensor/library.ts'
import { answerQuestions, memory } from '../side.ts'
import { training, type Size } from './training.ts'

const [size, value, threads, folder] = process.argv.slice(2)
useThreads(Number(threads))
const { dpok } = training(size as Size, folder, { value: value === 'value' })
console.log(JSON.stringify({ version: `Node ${process.versions.node}` }))
await answerQuestions(() => {
  const [begin, cpu] = [process.hrtime.bigint(), process.cpuUsage()]
  const metrics = dpok.step()
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9
  const { user, system } = process.cpuUsage(cpu)
  return { seconds, cpuSeconds: (user + system) / 1e6, megabytes: memory().peak, metrics }
})
