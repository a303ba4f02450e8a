/** The devices of the machine: what they are, how busy, and whose jobs have them. */
import { cpuId, type Device } from '../devices/devices.ts'
import { isActive } from '../jobs/queue-order.ts'
import { Devices } from '../schemas/devices.ts'
import { jsonRoute } from './route.ts'

export const deviceRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/devices',
    summary: 'The devices of the machine: how busy they are, the jobs that have them, and those that wait.',
    who: 'admin',
    answer: Devices,
    handle: async ({ studio: { queue, figures, gpuNote, playground } }) => {
      const used: readonly Device[] = queue.devices
      // The machine's own load is of interest wherever its jobs compute.
      const shown = used.some(({ id }) => id === cpuId) ? used : [...used, { id: cpuId, isGpu: false, slots: 0 }]
      const open = queue.open()
      const waiting = queue.waiting()
      const devices = shown.map(async (device) => ({
        ...device,
        ...(await figures.of(device.id)),
        jobs: open.filter((job) => isActive(job) && job.on.includes(device.id)).map(({ id }) => id),
        waiting: waiting.filter((job) => queue.demand(job).from.includes(device.id)).map(({ id }) => id),
        playground: playground.on === device.id,
      }))
      return { devices: await Promise.all(devices), note: gpuNote }
    },
  }),
]
