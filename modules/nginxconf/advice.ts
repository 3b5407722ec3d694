import type { AdviceRule } from 'sak-reconcile'
import { sizeInBytes } from './directives.ts'
import { type Params, setting } from './params.ts'

/** Bytes that an ordinary session cookie with a JWT stays below. */
const ordinaryCookie = 4096

const smallHeaderBuffers: AdviceRule<Params> = {
  id: 'small-header-buffers',
  source: "nginx's manual, large_client_header_buffers; measured on nginx 1.22: 1k gives a cookie of 1,100 bytes 400",
  check: ({ http }) => {
    const value = [http.large_client_header_buffers ?? []].flat()[0]
    const [, size = ''] = value === undefined ? [] : setting('large_client_header_buffers', value).args
    const bytes = sizeInBytes(size)
    if (bytes === undefined || bytes >= ordinaryCookie) return []
    return [
      {
        message: `a request whose cookies or address are longer than ${size} is refused (400, 414) with nothing in the error log: an ordinary JWT cookie is longer`,
        suggestion:
          "large_client_header_buffers: '4 8k', nginx's default; they are only taken for requests that need them",
      },
    ]
  },
}

export const advice = [smallHeaderBuffers]
