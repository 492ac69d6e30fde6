/** Every Spanish word that a person reads: formal, short, without blame. */
import type { Language, Matter, PageWords, Setting, Telling } from "./language.ts";
import { phrase } from "./phrase.ts";
import type { Datum, Phrase } from "./phrase.ts";

type Apps = Extract<Matter, { kind: "apps" }>;
type Steps = Telling["steps"];

function tell(matter: Matter, setting: Setting): Telling {
  const { organisation, name, manager, phase } = setting;
  const goal = phase === "held" ? "para recuperar su correo" : "para seguir recibiendo su correo";
  switch (matter.kind) {
    case "apps": {
      const { apps } = matter;
      const several = apps.length > 1;
      const what = several ? phrase`${String(apps.length)} aplicaciones` : phrase`${apps[0]}`;
      return {
        subject: phrase`Elimine ${what} de su ${name} ${goal}`,
        why: several
          ? phrase`${organisation} no permite ciertas aplicaciones en los dispositivos que reciben el correo de la empresa. En su ${name} hay ${what} de ese tipo.`
          : phrase`${organisation} no permite ${what} en los dispositivos que reciben el correo de la empresa. Esta aplicación está en su ${name}.`,
        steps: removal(matter, setting),
        briefly: phrase`Elimine ${list(apps)}. No basta con quitar ${several ? "los iconos" : "el icono"}.`,
      };
    }
    case "os":
      return {
        subject: phrase`Actualice su ${name} ${goal}`,
        why: phrase`Para el correo de la empresa en el móvil, ${organisation} pide ${matter.minimum} o una versión posterior. Su ${name} tiene una versión anterior.`,
        steps: [phrase`${updating(setting)} Instale la versión más reciente.`, charging(name)],
        briefly: phrase`Actualice a ${matter.minimum} o a una versión posterior. ${updating(setting)}`,
      };
    case "patch":
      return {
        subject: phrase`Instale la actualización de seguridad en su ${name} ${goal}`,
        why: phrase`Para el correo de la empresa en el móvil, ${organisation} pide la actualización de seguridad de Android del ${matter.minimum} o una posterior. Su ${name} tiene una anterior.`,
        steps: [phrase`${updating(setting)} Instale lo que se ofrezca hasta que no quede nada.`, charging(name)],
        briefly: phrase`Instale la actualización de seguridad del ${matter.minimum} o una posterior. ${updating(setting)}`,
      };
    case "reported":
      return {
        subject: phrase`Hay que cambiar algo en su ${name} ${goal}`,
        why: phrase`${organisation} muestra el correo en los dispositivos configurados como corresponde. Algo en su ${name} todavía no lo está.`,
        steps: [
          phrase`Abra ${theManager(setting)}. Ahí verá qué hay que cambiar.`,
          phrase`Haga el cambio y deje que la aplicación vuelva a comprobar su ${name}.`,
        ],
        briefly: phrase`Abra ${theManager(setting)}: ahí verá qué más hay que cambiar.`,
      };
    case "switched-off":
      return {
        subject: phrase`El correo está desactivado en su ${name}`,
        why:
          matter.why === undefined
            ? phrase`El equipo de informática de ${organisation} ha desactivado el correo en este ${name}.`
            : phrase`El equipo de informática de ${organisation} ha desactivado el correo en este ${name}. Motivo indicado: «${matter.why}».`,
        steps: [phrase`Pregunte al servicio de asistencia de ${organisation} qué hay que hacer. ${giveId}`],
        briefly: phrase`Pregunte al servicio de asistencia por qué se ha desactivado el correo en este ${name}.`,
        after: phrase`En cuanto el equipo de informática vuelva a activar el correo, regresará por sí solo en unos segundos.`,
      };
    case "not-enrolled":
      return {
        subject: phrase`Configure su ${name} con ${organisation} ${phase === "held" ? "para recibir su correo" : goal}`,
        why: phrase`${organisation} muestra el correo en los dispositivos configurados para el trabajo. Por lo que vemos, su ${name} no lo está.`,
        steps: [
          phrase`Configure su ${name} para el trabajo con su cuenta de ${organisation}. El servicio de asistencia sabe qué aplicación hay que usar.`,
          phrase`Llegue hasta el último paso y mantenga su ${name} conectado a internet.`,
          phrase`¿Ya está configurado? Quizá su aplicación de correo use otro nombre. ${giveId}`,
        ],
        briefly: phrase`Configure su ${name} para el trabajo. El servicio de asistencia sabe qué aplicación hay que usar.`,
        after: phrase`Su correo llegará por sí solo unos segundos después de que ${organisation} reconozca su ${name}.`,
      };
    case "owner-mismatch":
      return {
        subject: phrase`Su ${name} está registrado a nombre de otra persona`,
        why: phrase`${organisation} muestra su correo en los dispositivos registrados a su nombre. Este ${name} figura a nombre de otra persona. Puede ocurrir cuando un dispositivo cambia de manos.`,
        steps: [
          phrase`¿Ahora es suyo? Configúrelo de nuevo para el trabajo con su propia cuenta de ${organisation}.`,
          phrase`O pida al servicio de asistencia que lo registre a su nombre. ${giveId}`,
        ],
        briefly: phrase`Pida al servicio de asistencia que registre este ${name} a su nombre.`,
        after: phrase`Su correo volverá por sí solo unos segundos después de que el ${name} quede registrado a su nombre.`,
      };
    case "id-contested":
      return {
        subject:
          phase === "held"
            ? phrase`Su correo está retenido: dos dispositivos llevan el identificador de su ${name}`
            : phrase`Dos dispositivos llevan el identificador de su ${name}`,
        why: phrase`Usted no ha hecho nada mal. Con el identificador con el que este ${name} recibe el correo figuran dos dispositivos de personas distintas. Por eso ${organisation} no sabe de quién es.`,
        steps: [phrase`Diga al servicio de asistencia de ${organisation} que este ${name} es suyo. ${giveId}`],
        briefly: phrase`Diga al servicio de asistencia que este ${name} es suyo: con su identificador figuran dos dispositivos.`,
        after: phrase`Su correo volverá por sí solo unos segundos después de que el equipo de informática aclare de quién es el ${name}.`,
      };
    case "stale":
      return {
        subject: phrase`Su ${name} debe sincronizarse ${goal}`,
        why: phrase`${organisation} muestra el correo en los dispositivos que se han sincronizado ${spanOf(matter.withinHours)}. ${checkedIn(matter.reportedAt, name)}.`,
        steps: [
          phrase`Conecte su ${name} a una red wifi o a los datos móviles.`,
          phrase`Abra ${theManager(setting)} y espere a que termine la comprobación.`,
          phrase`Si nada ha cambiado al cabo de diez minutos, reinicie su ${name} y abra otra vez la aplicación.`,
        ],
        briefly: phrase`Abra ${theManager(setting)} y espere a que termine la comprobación.`,
      };
    case "uninspectable":
      return {
        subject: phrase`Hay que comprobar su ${name} ${goal}`,
        why:
          matter.apps.length === 0
            ? phrase`Tal como está configurado su ${name}, no se puede saber si cumple lo que pide ${organisation}.`
            : phrase`${organisation} no permite ${list(matter.apps)} en los dispositivos que reciben el correo de la empresa. Tal como está configurado su ${name}, no se puede saber si ${matter.apps.length === 1 ? "esa aplicación está" : "esas aplicaciones están"} en él.`,
        steps: [
          phrase`Abra ${theManager(setting)} y complete lo que le pida.`,
          phrase`Si no pide nada, consulte al servicio de asistencia. ${giveId}`,
        ],
        briefly: phrase`Abra ${theManager(setting)} y complete lo que le pida: no se ha podido comprobar del todo su ${name}.`,
      };
    case "compromised":
      return {
        subject: phrase`El servicio de asistencia debe revisar su ${name}`,
        why: phrase`La protección integrada de su ${name} no está como la entrega el fabricante. ${organisation} no muestra el correo en esos dispositivos, porque otras personas podrían leerlo.`,
        steps: [phrase`Lleve su ${name} al servicio de asistencia de ${organisation}. ${giveId}`],
        briefly: phrase`Lleve su ${name} al servicio de asistencia: su protección integrada no está como la entrega el fabricante.`,
        after: phrase`Su correo volverá por sí solo unos segundos después de que esto quede aclarado.`,
      };
    case "record-unreadable":
      return {
        subject:
          phase === "held"
            ? phrase`Su correo está retenido: nuestros datos sobre su ${name} tienen un error`
            : phrase`Nuestros datos sobre su ${name} tienen un error`,
        why: phrase`Usted no ha hecho nada mal. Una parte de los datos de ${organisation} sobre este ${name} no se puede leer. Por eso no sabemos si se puede mostrar correo aquí.`,
        steps: [
          phrase`Avise al servicio de asistencia e indique los datos que figuran al final de este mensaje.`,
          manager === undefined
            ? phrase`Mantenga su ${name} conectado a internet: su próxima sincronización quizá corrija el error.`
            : phrase`Abra «${manager}» y deje que compruebe su ${name}: así quizá se corrija el error.`,
        ],
        briefly: phrase`Avise al servicio de asistencia de que una parte de nuestros datos sobre este ${name} no se puede leer.`,
        after: phrase`Su correo volverá por sí solo unos segundos después de que se corrija el error.`,
      };
    case "nothing-known":
      return {
        subject:
          phase === "held"
            ? phrase`Su correo está retenido por ahora en su ${name}`
            : phrase`Consulte al servicio de asistencia sobre su ${name}`,
        why: phrase`${organisation} no ha podido averiguar todo lo que necesita saber sobre este ${name}.`,
        steps: [phrase`Consulte al servicio de asistencia. ${giveId}`],
        briefly: phrase`Consulte también al servicio de asistencia.`,
        after: phrase`Su correo volverá por sí solo unos segundos después de que esto quede aclarado.`,
      };
  }
}

const giveId = "Indique el identificador del dispositivo que figura al final de este mensaje.";

/** The words on the buttons are those that each system shows. */
function removal({ apps, onlyInWorkProfile }: Apps, { platform }: Setting): Steps {
  const icon = apps.length === 1 ? phrase`${apps[0]}` : phrase`cada una de estas aplicaciones`;
  switch (platform) {
    case "ios":
    case "ipados":
      return [
        phrase`Busque ${icon}: en la pantalla de inicio, deslice el dedo hacia abajo y escriba el nombre. Mantenga el dedo sobre el icono.`,
        phrase`Toque «Eliminar app», otra vez si se le pregunta, y después «Eliminar». No basta con quitarla de la pantalla de inicio.`,
      ];
    case "android":
      return [
        phrase`Abra la lista de aplicaciones y mantenga pulsado el icono de ${icon}. Toque «Desinstalar», o «Información de la aplicación» y después «Desinstalar».`,
        onlyInWorkProfile
          ? phrase`Está en su perfil de trabajo: búsquela en la pestaña «Trabajo» de la lista.`
          : phrase`Si la lista está dividida en «Personal» y «Trabajo», busque en ambas pestañas.`,
      ];
    case "macos":
    case "windows":
    case "other":
    case undefined:
      return [phrase`Elimine o desinstale ${icon}. No basta con quitar el icono.`];
  }
}

function updating({ platform }: Setting): string {
  switch (platform) {
    case "ios":
    case "ipados":
      return "Abra «Ajustes» > «General» > «Actualización de software».";
    case "macos":
      return "Abra «Ajustes del Sistema» > «General» > «Actualización de software».";
    case "android":
      return "Abra «Ajustes» > «Sistema» > «Actualizaciones de software»; en algunos dispositivos está directamente en «Ajustes».";
    case "windows":
      return "Abra «Configuración» > «Windows Update».";
    case "other":
    case undefined:
      return "Abra los ajustes y busque «Actualización».";
  }
}

function charging(name: string): Phrase {
  return phrase`Deje su ${name} conectado a la wifi y al cargador hasta que se haya reiniciado. Si no se ofrece ninguna actualización, consulte al servicio de asistencia.`;
}

function theManager({ manager, name, organisation }: Setting): Phrase {
  return manager === undefined
    ? phrase`la aplicación con la que ${organisation} gestiona su ${name}`
    : phrase`«${manager}»`;
}

function report({ manager, name, organisation }: Setting): Phrase {
  return manager === undefined
    ? phrase`Mantenga su ${name} conectado a internet: comunicará el cambio por sí solo. Irá más rápido si abre la aplicación con la que ${organisation} lo gestiona.`
    : phrase`Abra «${manager}» y deje que compruebe su ${name}, para que el cambio se comunique enseguida.`;
}

function checkedIn(reportedAt: string | undefined, name: string): string {
  return reportedAt === undefined
    ? `Su ${name} no se ha sincronizado últimamente`
    : `La última sincronización de su ${name} fue el ${reportedAt}`;
}

function spanOf(hours: number): string {
  if (hours >= 48 && hours % 24 === 0) return `en los últimos ${String(hours / 24)} días`;
  return hours === 1 ? "en la última hora" : `en las últimas ${String(hours)} horas`;
}

function list(data: readonly Datum[]): Phrase {
  const shown = data.slice(0, 3);
  const named = shown.flatMap((datum, index) => (index === 0 ? [datum] : [", ", datum]));
  const more = data.length - shown.length;
  return more === 0 ? named : phrase`${named} y ${String(more)} más`;
}

const page: PageWords = {
  title: "Use la aplicación de correo de su teléfono",
  why: (organisation) =>
    phrase`Esta dirección muestra el correo de ${organisation} en ordenadores. Parece que la ha abierto en el navegador de un teléfono o de una tableta. Por eso su correo no se muestra aquí.`,
  stepsHeading: "Dónde está su correo",
  steps: (organisation) => [
    phrase`En este dispositivo: abra la aplicación de correo configurada para ${organisation}. Si muestra un único mensaje con algo que hacer, siga los pasos que indica.`,
    phrase`En un ordenador: abra esta misma dirección en el navegador.`,
  ],
  mistakenHeading: "¿Esto es un ordenador?",
  mistaken: phrase`Algunos navegadores de ordenador se hacen pasar por un teléfono, por ejemplo con una extensión o en una vista para desarrolladores. Desactívelo y vuelva a cargar esta página.`,
  ask: (organisation, helpFollows) =>
    helpFollows
      ? phrase`¿Tiene preguntas? El servicio de asistencia de ${organisation} le ayudará con gusto.`
      : phrase`¿Tiene preguntas? Consulte al servicio de asistencia de ${organisation}.`,
  helpLink: "Ir al servicio de asistencia",
  problem: "El correo en el navegador es para ordenadores. En un teléfono, use la aplicación de correo.",
};

export const es: Language = {
  tag: "es",
  sentenceGap: " ",
  dateLocale: "es",
  clock: "",
  zoned: (dateAndTime, zone) => `${dateAndTime} (${zone.join(", ")})`,
  // All of them masculine, so that one sentence fits each.
  names: {
    ios: "iPhone",
    ipados: "iPad",
    android: "dispositivo Android",
    macos: "Mac",
    windows: "dispositivo Windows",
    other: "dispositivo",
    unknown: "teléfono",
  },
  tell,
  consequence: ({ phase }, hasDeadline) => {
    if (phase === "held") {
      return phrase`Por eso su correo está retenido por ahora, y este mensaje aparece en lugar de su bandeja de entrada.`;
    }
    return hasDeadline
      ? phrase`Todavía recibe aquí su correo. Pasado el plazo, quedará retenido hasta que quede resuelto.`
      : phrase`Sigue recibiendo aquí su correo.`;
  },
  report,
  list,
  about: {
    heading: "De qué se trata",
    os: (minimum) => phrase`${minimum} o posterior`,
    patch: (minimum) => phrase`Actualización de seguridad del ${minimum} o posterior`,
    setUp: phrase`Configuración para el trabajo`,
    checkIn: phrase`Sincronización del dispositivo`,
    helpDesk: phrase`Revisión por el servicio de asistencia`,
    now: (version) => phrase`En este dispositivo: ${version}`,
    shownAs: (name) => phrase`Nombre en este dispositivo: ${name}`,
    at: (moment) => phrase`Detectado: ${moment}`,
    due: (moment) => phrase`Plazo: hasta el ${moment}`,
    dueNow: phrase`Plazo: ahora mismo`,
    rule: (title) => phrase`Norma: ${title}`,
    more: (count) => phrase`y ${String(count)} más`,
    unnamed: "Una aplicación sin nombre",
  },
  stepsHeading: { held: "Cómo recuperar su correo", warned: "Cómo seguir recibiendo su correo" },
  afterReport: {
    held: phrase`Su correo volverá por sí solo unos segundos después de que el dispositivo se sincronice. No tiene que avisar a nadie.`,
    warned: phrase`Este mensaje desaparecerá por sí solo después de que el dispositivo se sincronice. No tiene que avisar a nadie.`,
  },
  afterWarning: phrase`Este mensaje desaparecerá por sí solo en cuanto quede resuelto.`,
  checkLink: "¿Ya está hecho? Volver a comprobar",
  meanwhile: {
    heading: "Mientras tanto",
    items: {
      held: [
        phrase`El correo funciona como siempre en su ordenador, en el programa de correo y en el navegador.`,
        phrase`No se pierde nada. El correo nuevo le espera en el servidor, y lo que haya escrito en este dispositivo se enviará cuando recupere su correo.`,
      ],
      warned: [phrase`Su correo sigue llegando, a este dispositivo y a su ordenador.`],
    },
  },
  ask: (organisation, helpFollows) =>
    helpFollows
      ? phrase`¿Tiene preguntas? El servicio de asistencia de ${organisation} le ayudará con gusto:`
      : phrase`¿Tiene preguntas? Consulte al servicio de asistencia de ${organisation}.`,
  details: {
    heading: "Para el servicio de asistencia",
    phone: "Dispositivo",
    phoneId: "Identificador",
    account: "Cuenta",
    fields: "No se puede leer",
    colon: ": ",
    comma: ", ",
  },
  page,
};
