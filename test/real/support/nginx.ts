/** nginx in front of SOGo, set up as its manual tells real sites to. */
import { mkdir, writeFile } from "node:fs/promises";
import { DOMAIN } from "./people.ts";
import { answers } from "./ports.ts";
import type { Scratch } from "./scratch.ts";

export interface Front {
  /** Without a trailing slash. */
  readonly url: string;
  /** The same over TLS, with a certificate that only its own file vouches for. */
  readonly tlsUrl: string;
  readonly certificateFile: string;
  readonly certificateKeyFile: string;
  readonly accessLogFile: string;
}

export async function startNginx(scratch: Scratch, sogoPort: number): Promise<Front> {
  const [httpPort, tlsPort] = [await scratch.claimPort(), await scratch.claimPort()];
  const directory = `${scratch.directory}/nginx`;
  await mkdir(directory);
  const certificate = { file: `${directory}/certificate.pem`, keyFile: `${directory}/key.pem` };
  await makeCertificate(scratch, certificate);
  const accessLogFile = `${scratch.directory}/log/nginx-access.log`;
  const configFile = `${directory}/nginx.conf`;
  await writeFile(configFile, configuration({ directory, httpPort, tlsPort, sogoPort, certificate, accessLogFile }));
  await launch(scratch, "nginx", directory, configFile, httpPort);
  return {
    url: `http://127.0.0.1:${httpPort}`,
    tlsUrl: `https://127.0.0.1:${tlsPort}`,
    certificateFile: certificate.file,
    certificateKeyFile: certificate.keyFile,
    accessLogFile,
  };
}

/** A second nginx, with servers that stand elsewhere: on a page of the documents. */
export async function startNginxWith(scratch: Scratch, servers: string, port: number): Promise<void> {
  const directory = `${scratch.directory}/nginx-${port}`;
  await mkdir(directory);
  const configFile = `${directory}/nginx.conf`;
  await writeFile(configFile, around(directory, `access_log off;\n${servers}`));
  await launch(scratch, `nginx-${port}`, directory, configFile, port);
}

async function launch(scratch: Scratch, name: string, directory: string, configFile: string, port: number) {
  await scratch.launch({
    name,
    command: "nginx",
    // Without -e it opens Debian's own error log before it has read its configuration.
    args: ["-p", directory, "-c", configFile, "-e", "stderr"],
    isReady: () => answers(port),
  });
}

interface Certificate {
  readonly file: string;
  readonly keyFile: string;
}

async function makeCertificate(scratch: Scratch, { file, keyFile }: Certificate): Promise<void> {
  const names = `subjectAltName=DNS:mail.${DOMAIN},DNS:localhost,IP:127.0.0.1`;
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"];
  const args = ["req", ...kind, "-subj", `/CN=mail.${DOMAIN}`, "-addext", names, "-keyout", keyFile, "-out", file];
  await scratch.run({ command: "openssl", args });
}

interface Settings {
  readonly directory: string;
  readonly httpPort: number;
  readonly tlsPort: number;
  readonly sogoPort: number;
  readonly certificate: Certificate;
  readonly accessLogFile: string;
}

function configuration({ directory, httpPort, tlsPort, sogoPort, certificate, accessLogFile }: Settings): string {
  return around(
    directory,
    `
  log_format full '$request_method $request_uri $server_protocol $status in=$request_length out=$bytes_sent '
                  '"$http_user_agent" version=$http_ms_asprotocolversion user=$remote_user';
  access_log ${accessLogFile} full;
  client_max_body_size 64m;
  # What the person's own browser sees may be decided by a proxy before this one.
  map $http_x_forwarded_proto $front_scheme { default $scheme; http http; https https; }
  map $front_scheme $front_port { default 80; https 443; }
  server {
    listen 127.0.0.1:${httpPort};
    listen 127.0.0.1:${tlsPort} ssl;
    ssl_certificate ${certificate.file};
    ssl_certificate_key ${certificate.keyFile};
    server_name _;
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    # SOGo builds its own addresses from these, and believes the last one whoever sends it.
    proxy_set_header x-webobjects-server-protocol HTTP/1.0;
    proxy_set_header x-webobjects-server-name $host;
    proxy_set_header x-webobjects-server-port $front_port;
    proxy_set_header x-webobjects-server-url $front_scheme://$http_host;
    proxy_set_header x-webobjects-remote-host $remote_addr;
    proxy_set_header x-webobjects-remote-user "";
    proxy_connect_timeout 75s;
    proxy_send_timeout 3600s;
    # A Ping may wait for an hour.
    proxy_read_timeout 3600s;
    proxy_buffering off;
    # A login is answered with a cookie of some 4000 bytes, and comes back with it.
    proxy_buffer_size 32k;
    proxy_buffers 4 32k;
    large_client_header_buffers 8 32k;
    location = / { return 302 /SOGo/; }
    location ^~ /SOGo { proxy_pass http://127.0.0.1:${sogoPort}; }
    location ^~ /Microsoft-Server-ActiveSync {
      proxy_pass http://127.0.0.1:${sogoPort}/SOGo/Microsoft-Server-ActiveSync;
    }
    location ^~ /SOGo.woa/WebServerResources/ { alias /usr/lib/GNUstep/SOGo/WebServerResources/; }
    location ^~ /SOGo/WebServerResources/ { alias /usr/lib/GNUstep/SOGo/WebServerResources/; }
  }
`,
  );
}

/** What every nginx of ours needs around its servers. */
function around(directory: string, servers: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${directory}/${kind};`,
  );
  return `
daemon off;
user www-data;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  ${temporary.join("\n  ")}
  ${servers}
}
`;
}
