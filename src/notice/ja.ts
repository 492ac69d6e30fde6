/** Every Japanese word that a person reads: polite, short, without blame. Three bytes a character, so shorter than the others. */
import type { Language, Matter, PageWords, Setting, Telling } from "./language.ts";
import { phrase } from "./phrase.ts";
import type { Datum, Phrase } from "./phrase.ts";

type Apps = Extract<Matter, { kind: "apps" }>;
type Steps = Telling["steps"];

function tell(matter: Matter, setting: Setting): Telling {
  const { organisation, name, manager, phase } = setting;
  const goal = phase === "held" ? "（メールの受信を再開するため）" : "（メールの受信を続けるため）";
  switch (matter.kind) {
    case "apps": {
      const { apps } = matter;
      const several = apps.length > 1;
      const what = several ? phrase`${String(apps.length)}個のアプリ` : phrase`「${apps[0]}」`;
      return {
        subject: phrase`${what}を${name}から削除してください${goal}`,
        why: several
          ? phrase`${organisation}では、会社のメールを読む端末で特定のアプリの使用を認めていません。お使いの${name}に、該当する${what}が入っています。`
          : phrase`${organisation}では、会社のメールを読む端末で${what}の使用を認めていません。お使いの${name}に、このアプリが入っています。`,
        steps: removal(matter, setting),
        briefly: phrase`「${list(apps)}」を削除します。アイコンを消すだけでは削除されません。`,
      };
    }
    case "os":
      return {
        subject: phrase`お使いの${name}をアップデートしてください${goal}`,
        why: phrase`${organisation}では、会社のメールを読む端末に${matter.minimum}以降を求めています。お使いの${name}は、それより前のバージョンです。`,
        steps: [phrase`${updating(setting)}最新のバージョンをインストールします。`, charging],
        briefly: phrase`${matter.minimum}以降にアップデートします。${updating(setting)}`,
      };
    case "patch":
      return {
        subject: phrase`お使いの${name}にセキュリティ アップデートをインストールしてください${goal}`,
        why: phrase`${organisation}では、会社のメールを読む端末に${matter.minimum}以降のAndroidセキュリティ アップデートを求めています。お使いの${name}は、それより前のものです。`,
        steps: [phrase`${updating(setting)}表示されたものを、なくなるまですべてインストールします。`, charging],
        briefly: phrase`${matter.minimum}以降のセキュリティ アップデートをインストールします。${updating(setting)}`,
      };
    case "reported":
      return {
        subject: phrase`お使いの${name}の設定を変更してください${goal}`,
        why: phrase`${organisation}では、決められたとおりに設定された端末にメールを表示しています。お使いの${name}には、まだ異なる設定があります。`,
        steps: [
          phrase`${theManager(setting)}を開き、変更が必要な項目を確認します。`,
          phrase`設定を変更したら、アプリでもう一度端末を確認します。`,
        ],
        briefly: phrase`${theManager(setting)}を開き、ほかに変更が必要な項目を確認します。`,
      };
    case "switched-off":
      return {
        subject: phrase`お使いの${name}ではメールが停止されています`,
        why:
          matter.why === undefined
            ? phrase`${organisation}のIT部門が、この${name}でのメールを停止しました。`
            : phrase`${organisation}のIT部門が、この${name}でのメールを停止しました。理由：「${matter.why}」`,
        steps: [askHelp],
        briefly: phrase`IT部門がメールを停止した理由を、ヘルプデスクにお問い合わせください。`,
        after: phrase`IT部門が停止を解除すると、数秒でメールが自動的に戻ります。`,
      };
    case "not-enrolled":
      return {
        subject: phrase`${phase === "held" ? "" : "今後も"}${organisation}のメールを受け取るには、${name}の設定が必要です`,
        why: phrase`${organisation}では、業務用に設定された端末にメールを表示しています。確認できるかぎり、お使いの${name}はまだ設定されていません。`,
        steps: [
          phrase`${organisation}のアカウントで、${name}を業務用に設定します。使うアプリはヘルプデスクがご案内します。`,
          phrase`最後の手順まで進め、インターネットに接続したままにします。`,
          phrase`設定済みの場合は、メールアプリが別の名前で接続している可能性があります。${askHelp}`,
        ],
        briefly: phrase`${name}を業務用に設定します。使うアプリはヘルプデスクがご案内します。`,
        after: phrase`${organisation}が${name}を確認すると、数秒でメールが自動的に届きます。`,
      };
    case "owner-mismatch":
      return {
        subject: phrase`お使いの${name}は別の方の名前で登録されています`,
        why: phrase`${organisation}では、ご本人の名前で登録された端末にメールを表示しています。この${name}は別の方の名前で登録されています。端末を譲り受けた場合などに起こります。`,
        steps: [
          phrase`ご自分の端末になった場合は、ご自分の${organisation}のアカウントで、業務用に設定し直してください。`,
          phrase`または、ヘルプデスクに名義の変更を依頼してください。${giveId}`,
        ],
        briefly: phrase`この${name}の名義の変更を、ヘルプデスクに依頼してください。`,
        after: phrase`${name}がご本人の名前で登録されると、数秒でメールが自動的に戻ります。`,
      };
    case "id-contested":
      return {
        subject:
          phase === "held"
            ? phrase`メールの受信を止めています：${name}を特定できません`
            : phrase`お使いの${name}を特定できません`,
        why: phrase`ご自身の操作に問題はありません。この${name}がメールの受信に使う識別子で、別々の方の端末が二台登録されています。そのため、${organisation}ではどなたの端末か判断できません。`,
        steps: [
          phrase`この${name}がご自分のものであることを、${organisation}のヘルプデスクに伝えてください。${giveId}`,
        ],
        briefly: phrase`この${name}がご自分のものであることを、ヘルプデスクに伝えてください。同じ識別子で二台の端末が登録されています。`,
        after: phrase`どなたの${name}かをIT担当が確認すると、数秒でメールが自動的に戻ります。`,
      };
    case "stale":
      return {
        subject: phrase`お使いの${name}の状態の報告が必要です${goal}`,
        why: phrase`${organisation}では、${spanOf(matter.withinHours)}以内に状態の報告があった端末にメールを表示しています。${checkedIn(matter.reportedAt, name)}。`,
        steps: [
          phrase`${name}をWi-Fiまたはモバイル通信に接続します。`,
          phrase`${theManager(setting)}を開き、確認が終わるまで待ちます。`,
          phrase`10分たっても変わらない場合は、${name}を再起動し、もう一度アプリを開きます。`,
        ],
        briefly: phrase`${theManager(setting)}を開き、確認が終わるまで待ちます。`,
      };
    case "uninspectable":
      return {
        subject: phrase`お使いの${name}の確認が必要です${goal}`,
        why:
          matter.apps.length === 0
            ? phrase`現在の設定では、お使いの${name}が${organisation}の求める条件を満たしているか確認できません。`
            : phrase`${organisation}では、会社のメールを読む端末で「${list(matter.apps)}」の使用を認めていません。現在の設定では、お使いの${name}に入っているか確認できません。`,
        steps: [
          phrase`${theManager(setting)}を開き、表示された手順をすべて済ませます。`,
          phrase`何も表示されない場合は、${askHelp}`,
        ],
        briefly: phrase`${name}の一部を確認できませんでした。${theManager(setting)}を開き、表示された手順を済ませます。`,
      };
    case "compromised":
      return {
        subject: phrase`お使いの${name}をヘルプデスクで確認する必要があります`,
        why: phrase`お使いの${name}の保護機能が、出荷時の状態と異なっています。第三者に読まれるおそれがあるため、${organisation}ではそのような端末にメールを表示していません。`,
        steps: [phrase`${organisation}のヘルプデスクに${name}を見せてください。${giveId}`],
        briefly: phrase`保護機能が出荷時の状態と異なっています。ヘルプデスクに${name}を見せてください。`,
        after: phrase`確認が済むと、数秒でメールが自動的に戻ります。`,
      };
    case "record-unreadable":
      return {
        subject:
          phase === "held"
            ? phrase`メールの受信を止めています：${name}の登録情報に誤りがあります`
            : phrase`お使いの${name}の登録情報に誤りがあります`,
        why: phrase`ご自身の操作に問題はありません。${organisation}にあるこの${name}の登録情報の一部を読み取れず、メールを表示してよいか判断できません。`,
        steps: [
          phrase`ヘルプデスクに連絡し、このメッセージの末尾にある情報を伝えてください。`,
          manager === undefined
            ? phrase`インターネットに接続したままにしてください。次の報告で直ることがあります。`
            : phrase`「${manager}」を開いて端末を確認してください。新しい報告で直ることがあります。`,
        ],
        briefly: phrase`この${name}の登録情報の一部を読み取れないことを、ヘルプデスクに伝えてください。`,
        after: phrase`登録情報が直ると、数秒でメールが自動的に戻ります。`,
      };
    case "nothing-known":
      return {
        subject:
          phase === "held"
            ? phrase`お使いの${name}でのメールの受信を一時的に止めています`
            : phrase`お使いの${name}について、ヘルプデスクにお問い合わせください`,
        why: phrase`${organisation}では、この${name}について必要な情報をすべて確認することができませんでした。`,
        steps: [askHelp],
        briefly: phrase`ヘルプデスクにもお問い合わせください。`,
        after: phrase`確認が済むと、数秒でメールが自動的に戻ります。`,
      };
  }
}

const giveId = phrase`その際、このメッセージの末尾にある端末IDを伝えてください。`;
const askHelp = phrase`ヘルプデスクに連絡し、このメッセージの末尾にある端末IDを伝えてください。`;

/** The words on the buttons are those that each system shows. */
function removal({ apps, onlyInWorkProfile }: Apps, { platform }: Setting): Steps {
  const icon = apps.length === 1 ? phrase`「${apps[0]}」` : phrase`各アプリ`;
  switch (platform) {
    case "ios":
    case "ipados":
      return [
        phrase`ホーム画面を下にスワイプして名前を入力し、${icon}を探します。アイコンを長押しします。`,
        phrase`「Appを削除」をタップし、確認が出たらもう一度「Appを削除」をタップします。ホーム画面から取り除くだけでは削除されません。`,
      ];
    case "android":
      return [
        phrase`アプリの一覧で${icon}を長押しし、「アンインストール」（または「アプリ情報」＞「アンインストール」）をタップします。`,
        onlyInWorkProfile
          ? phrase`仕事用プロファイルで見つかりました。一覧の「仕事用」を確認してください。`
          : phrase`一覧が「個人用」と「仕事用」に分かれている場合は、両方を確認してください。`,
      ];
    case "macos":
    case "windows":
    case "other":
    case undefined:
      return [phrase`${icon}をアンインストールします。アイコンを消すだけでは削除されません。`];
  }
}

function updating({ platform }: Setting): string {
  switch (platform) {
    case "ios":
    case "ipados":
      return "「設定」＞「一般」＞「ソフトウェアアップデート」を開きます。";
    case "macos":
      return "「システム設定」＞「一般」＞「ソフトウェアアップデート」を開きます。";
    case "android":
      return "「設定」＞「システム」＞「ソフトウェア アップデート」を開きます（機種により「設定」のすぐ下にあります）。";
    case "windows":
      return "「設定」＞「Windows Update」を開きます。";
    case "other":
    case undefined:
      return "「設定」を開き、「アップデート」を探します。";
  }
}

const charging = phrase`再起動が終わるまで、Wi-Fiと充電器につないでおきます。更新が表示されない場合は、ヘルプデスクにお問い合わせください。`;

function theManager({ manager, organisation }: Setting): Phrase {
  return manager === undefined ? phrase`${organisation}の端末管理アプリ` : phrase`「${manager}」`;
}

function report({ manager }: Setting): Phrase {
  return manager === undefined
    ? phrase`インターネットに接続したままにしてください。変更は自動的に報告されます。端末管理アプリを開くと早く反映されます。`
    : phrase`「${manager}」を開いて端末を確認すると、変更がすぐに報告されます。`;
}

function checkedIn(reportedAt: string | undefined, name: string): string {
  return reportedAt === undefined
    ? `お使いの${name}からは、最近報告がありません`
    : `お使いの${name}の最後の報告は${reportedAt}です`;
}

function spanOf(hours: number): string {
  return hours >= 48 && hours % 24 === 0 ? `過去${String(hours / 24)}日` : `過去${String(hours)}時間`;
}

function list(data: readonly Datum[]): Phrase {
  const shown = data.slice(0, 3);
  const named = shown.flatMap((datum, index) => (index === 0 ? [datum] : ["、", datum]));
  const more = data.length - shown.length;
  return more === 0 ? named : phrase`${named}、ほか${String(more)}個`;
}

const page: PageWords = {
  title: "スマートフォンのメールアプリをお使いください",
  why: (organisation) =>
    phrase`このアドレスは、パソコンで${organisation}のメールを表示するためのものです。スマートフォンかタブレットのブラウザーで開かれたようですので、メールは表示していません。`,
  stepsHeading: "メールの確認方法",
  steps: (organisation) => [
    phrase`この端末では、${organisation}用に設定されたメールアプリを開いてください。お願いのメッセージが1通だけ表示されている場合は、その手順に従ってください。`,
    phrase`パソコンでは、ブラウザーでこのアドレスを開いてください。`,
  ],
  mistakenHeading: "パソコンをお使いですか？",
  mistaken: phrase`パソコンのブラウザーでも、拡張機能や開発者向けの表示によって、スマートフォンと見なされることがあります。オフにしてから、このページを再読み込みしてください。`,
  ask: (organisation) => phrase`ご不明な点は、${organisation}のヘルプデスクにお問い合わせください。`,
  helpLink: "ヘルプデスクへ",
  problem: "ブラウザーでのメールはパソコン用です。スマートフォンでは、メールアプリをお使いください。",
};

export const ja: Language = {
  tag: "ja",
  sentenceGap: "",
  dateLocale: "ja",
  clock: "",
  zoned: (dateAndTime, zone) => `${dateAndTime}（${zone.join("、")}）`,
  names: {
    ios: "iPhone",
    ipados: "iPad",
    android: "Android端末",
    macos: "Mac",
    windows: "Windows端末",
    other: "端末",
    unknown: "スマートフォン",
  },
  tell,
  consequence: ({ phase }, hasDeadline) => {
    if (phase === "held") {
      return phrase`そのため、この端末でのメールの受信を一時的に止め、受信トレイの代わりにこのメッセージを表示しています。`;
    }
    return hasDeadline
      ? phrase`メールは今のところ届きます。期限を過ぎると、対応が済むまで受信を止めます。`
      : phrase`メールはこれまでどおり届きます。`;
  },
  report,
  list,
  about: {
    heading: "お願いの内容",
    os: (minimum) => phrase`${minimum}以降`,
    patch: (minimum) => phrase`${minimum}以降のセキュリティ アップデート`,
    setUp: phrase`業務用の設定`,
    checkIn: phrase`端末の状態の報告`,
    helpDesk: phrase`ヘルプデスクでの確認`,
    now: (version) => phrase`現在：${version}`,
    shownAs: (name) => phrase`この端末での名前：${name}`,
    at: (moment) => phrase`検出：${moment}`,
    due: (moment) => phrase`期限：${moment}まで`,
    dueNow: phrase`期限：今すぐ`,
    rule: (title) => phrase`ルール：${title}`,
    more: (count) => phrase`ほか${String(count)}件`,
    unnamed: "名前のないアプリ",
  },
  stepsHeading: { held: "メールを再開するには", warned: "メールの受信を続けるには" },
  afterReport: {
    held: phrase`端末からの報告の後、数秒でメールが自動的に戻ります。ご連絡は不要です。`,
    warned: phrase`端末からの報告の後、このメッセージは自動的に消えます。ご連絡は不要です。`,
  },
  afterWarning: phrase`対応が済むと、このメッセージは自動的に消えます。`,
  checkLink: "対応が済んだら、ここで再確認",
  meanwhile: {
    heading: "それまでの間",
    items: {
      held: [
        phrase`パソコンでは、これまでどおりメールをお使いいただけます。`,
        phrase`メールは失われません。新しいメールはサーバーに保管され、この端末で書いたメールは再開後に送信されます。`,
      ],
      warned: [phrase`メールは、この端末にもパソコンにもこれまでどおり届きます。`],
    },
  },
  ask: (organisation, helpFollows) =>
    helpFollows
      ? phrase`ご不明な点は、${organisation}のヘルプデスクへ：`
      : phrase`ご不明な点は、${organisation}のヘルプデスクにお問い合わせください。`,
  details: {
    heading: "ヘルプデスク用の情報",
    phone: "端末",
    phoneId: "端末ID",
    account: "アカウント",
    fields: "読み取れない項目",
    colon: "：",
    comma: "、",
  },
  page,
};
