/** The page about a phone in Spanish. The names of devices are masculine there, so one sentence fits each. */
import { phrase } from "../../notice/phrase.ts";
import type { SelfServiceWords } from "./words.ts";

export const es: SelfServiceWords = {
  tag: "es",
  languageName: "Español",
  chooseLanguage: "Idioma",
  whenDone: phrase`¿Ya está hecho? Entonces volvemos a mirar.`,
  check: "Volver a comprobar",
  checkOnceMore: "Comprobar otra vez",
  mayAskFrom: (clock) => phrase`Podrá comprobar otra vez a partir de las ${clock}.`,
  checking: (name) => ({
    title: phrase`Comprobando su ${name}`,
    text: phrase`Se está pidiendo un informe nuevo.`,
  }),
  sent: (name) => phrase`Se ha pedido un informe nuevo a su ${name}.`,
  answered: (name) => ({
    title: phrase`Su ${name} ha respondido`,
    text: phrase`Se está revisando la respuesta.`,
  }),
  clear: (name) => ({
    title: phrase`Todo en orden`,
    text: phrase`Su correo ya no está retenido. Abra la aplicación de correo en su ${name}: el correo llega por sí solo.`,
  }),
  back: (name) => ({
    title: phrase`Su correo ha vuelto`,
    text: phrase`Su ${name} está descargando el correo. Puede cerrar esta página.`,
  }),
  well: (name, organisation) => ({
    title: phrase`Todo en orden`,
    text: phrase`Su ${name} tiene todo lo que pide ${organisation}. El correo llega como siempre y no tiene que hacer nada.`,
  }),
  ends: {
    "no-source": (name) => ({
      title: phrase`Su ${name} informa por sí solo`,
      text: phrase`No se le puede preguntar desde aquí. El próximo informe suele llegar a lo largo del día, y su correo vuelve por sí solo. No hace falta que espere aquí.`,
    }),
    "cannot-hurry": (name) => ({
      title: phrase`El próximo informe llega por sí solo`,
      text: phrase`El informe de su ${name} no se puede acelerar. Suele llegar a lo largo del día, y su correo vuelve por sí solo. No hace falta que espere aquí.`,
    }),
    "source-refused": (_name, organisation) => ({
      title: phrase`No ha funcionado`,
      text: phrase`La comprobación no ha podido empezar. No es culpa suya. Inténtelo otra vez o consulte al servicio de asistencia de ${organisation}.`,
    }),
    busy: () => ({
      title: phrase`Se están comprobando muchos dispositivos`,
      text: phrase`En este momento no hay sitio para uno más. Inténtelo otra vez dentro de unos minutos. Los dispositivos también informan por sí solos.`,
    }),
    "no-answer": (name) => ({
      title: phrase`Su ${name} todavía no ha respondido`,
      text: phrase`Quizá estaba bloqueado o sin conexión. Desbloquéelo, conéctelo a la red wifi o a los datos móviles y compruebe otra vez.`,
    }),
    "still-there": (name) => ({
      title: phrase`Todavía queda algo por hacer en su ${name}`,
      text: phrase`El dispositivo ha respondido y el motivo sigue ahí. Siga los pasos de abajo y compruebe otra vez.`,
    }),
  },
  steps: {
    asked: () => phrase`Comprobación pedida`,
    answered: (name) => phrase`Respuesta de su ${name}`,
    clear: () => phrase`Todo en orden`,
    "mail-back": () => phrase`Su correo ha vuelto`,
  },
  done: "hecho",
  progress: "Progreso",
  soFar: "Tiempo transcurrido",
  usually: (from, to) => phrase`Suele tardar entre ${from} y ${to}. Puede tardar más.`,
  seconds: (count) => (count === 1 ? "1 segundo" : `${String(count)} segundos`),
  minutes: (count) => (count === 1 ? "1 minuto" : `${String(count)} minutos`),
  unlock: (name) => phrase`Desbloquee su ${name} y deje abierta esta página.`,
  keepOnline: (name) => phrase`Mantenga su ${name} desbloqueado y con conexión.`,
  timesIn: (offset) => phrase`Horas indicadas: ${offset}`,
  follows: phrase`Esta página se actualiza por sí sola.`,
  looksAgain: (seconds) => phrase`Esta página vuelve a mirar cada ${String(seconds)} segundos.`,
  reload: "Mirar ahora",
  whatWasFound: "Qué se ha encontrado y qué hay que hacer",
  register: {
    one: (model) =>
      phrase`¿Es este su dispositivo administrado, ${model}? Algunas aplicaciones de correo dan otro nombre al dispositivo y no podemos reconocerlo.`,
    itIs: "Es mi dispositivo administrado",
    several: phrase`Usted tiene más de un dispositivo administrado y no podemos saber cuál es este.`,
    askOperator: "Preguntar al servicio informático",
    needsOperator: phrase`El servicio informático tiene que aceptarlo antes.`,
    waiting: phrase`Usted ha indicado que este es su dispositivo administrado. El servicio informático tiene que aceptarlo; después, su correo volverá por sí solo.`,
    noPhone: phrase`No conocemos ningún dispositivo administrado a su nombre que pueda ser este. Siga los pasos de abajo.`,
  },
  tooOld: {
    title: phrase`Este enlace es demasiado antiguo`,
    text: phrase`Abra la aplicación de correo de su dispositivo. Si queda algo por hacer, el mensaje que verá ahí tiene un enlace nuevo. Si no hay ningún mensaje así, todo está en orden.`,
  },
  noSuchPage: {
    title: phrase`Este enlace no funciona`,
    text: phrase`Quizá se cortó por el camino. Ábralo otra vez desde el mensaje en la aplicación de correo de su dispositivo.`,
  },
  away: {
    title: phrase`Un momento, por favor`,
    text: phrase`Ahora mismo no podemos consultarlo. No se pierde nada. Inténtelo otra vez dentro de un minuto.`,
  },
  tooMany: {
    title: phrase`Ha ido un poco rápido`,
    text: phrase`Esta página se ha pedido demasiadas veces. Espere un momento y vuelva a cargarla.`,
  },
};
