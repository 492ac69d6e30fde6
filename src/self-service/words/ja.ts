/** The page about a phone in Japanese. */
import { phrase } from "../../notice/phrase.ts";
import type { SelfServiceWords } from "./words.ts";

export const ja: SelfServiceWords = {
  tag: "ja",
  languageName: "日本語",
  chooseLanguage: "言語",
  whenDone: phrase`対応が済んだら、もう一度確認できます。`,
  check: "再確認する",
  checkOnceMore: "もう一度確認する",
  mayAskFrom: (clock) => phrase`${clock}以降に、もう一度確認できます。`,
  checking: (name) => ({
    title: phrase`${name}を確認しています`,
    text: phrase`新しい報告を要求しています。`,
  }),
  sent: (name) => phrase`${name}に新しい報告を要求しました。`,
  answered: (name) => ({
    title: phrase`${name}から応答がありました`,
    text: phrase`内容を確認しています。`,
  }),
  clear: (name) => ({
    title: phrase`問題はありません`,
    text: phrase`メールの受信を再開できます。${name}でメールアプリを開くと、メールが自動的に届きます。`,
  }),
  back: (name) => ({
    title: phrase`メールが戻りました`,
    text: phrase`${name}がメールを受信しています。このページは閉じてかまいません。`,
  }),
  well: (name, organisation) => ({
    title: phrase`問題はありません`,
    text: phrase`お使いの${name}は、${organisation}の求める条件を満たしています。メールはこれまでどおり届きます。対応は不要です。`,
  }),
  ends: {
    "no-source": (name) => ({
      title: phrase`${name}からの報告をお待ちください`,
      text: phrase`ここからは確認を要求できません。次の報告は通常その日のうちに届き、メールは自動的に戻ります。このページでお待ちいただく必要はありません。`,
    }),
    "cannot-hurry": (name) => ({
      title: phrase`次の報告は自動的に届きます`,
      text: phrase`${name}の報告を早めることはできません。通常その日のうちに届き、メールは自動的に戻ります。このページでお待ちいただく必要はありません。`,
    }),
    "source-refused": (_name, organisation) => ({
      title: phrase`確認できませんでした`,
      text: phrase`確認を始められませんでした。お客様の操作に問題はありません。もう一度試すか、${organisation}のヘルプデスクにお問い合わせください。`,
    }),
    busy: () => ({
      title: phrase`多くの端末を確認しています`,
      text: phrase`現在、これ以上は確認できません。数分後にもう一度お試しください。端末からの報告は自動的にも届きます。`,
    }),
    "no-answer": (name) => ({
      title: phrase`${name}からまだ応答がありません`,
      text: phrase`ロック中か、オフラインの可能性があります。ロックを解除し、Wi-Fiまたはモバイルデータ通信に接続してから、もう一度確認してください。`,
    }),
    "still-there": (name) => ({
      title: phrase`${name}にまだ対応が必要です`,
      text: phrase`端末から応答がありましたが、対応が必要な項目が残っています。下の手順を行ってから、もう一度確認してください。`,
    }),
  },
  steps: {
    asked: () => phrase`確認の要求`,
    answered: (name) => phrase`${name}からの応答`,
    clear: () => phrase`問題がないことの確認`,
    "mail-back": () => phrase`メールの再開`,
  },
  done: "完了",
  progress: "進行状況",
  soFar: "経過時間",
  usually: (from, to) => phrase`通常は${from}から${to}ほどですが、さらにかかることもあります。`,
  seconds: (count) => `${String(count)}秒`,
  minutes: (count) => `${String(count)}分`,
  unlock: (name) => phrase`${name}のロックを解除し、このページを開いたままにしてください。`,
  keepOnline: (name) => phrase`${name}のロックを解除し、オンラインのままにしてください。`,
  timesIn: (offset) => phrase`時刻：${offset}`,
  follows: phrase`このページは自動的に更新されます。`,
  looksAgain: (seconds) => phrase`このページは${String(seconds)}秒ごとに更新されます。`,
  reload: "今すぐ更新する",
  whatWasFound: "検出された内容と手順",
  register: {
    one: (model) =>
      phrase`この端末は、会社が管理しているお客様の端末（${model}）ですか。メールアプリによっては端末の名前が変わるため、こちらでは判別できません。`,
    itIs: "管理対象の自分の端末です",
    several: phrase`管理対象の端末を複数お持ちのため、どの端末か判別できません。`,
    askOperator: "IT部門に確認を依頼する",
    needsOperator: phrase`IT部門の承認が必要です。`,
    waiting: phrase`管理対象の端末としてお申し出いただきました。IT部門が承認すると、メールは自動的に届きます。`,
    noPhone: phrase`この端末に当てはまる管理対象の端末が見つかりません。以下の手順に従ってください。`,
  },
  tooOld: {
    title: phrase`このリンクは期限が切れています`,
    text: phrase`端末のメールアプリを開いてください。対応が必要な場合は、届いているメッセージに新しいリンクがあります。メッセージがなければ、問題はありません。`,
  },
  noSuchPage: {
    title: phrase`このリンクは使えません`,
    text: phrase`途中で切れている可能性があります。端末のメールアプリのメッセージから、もう一度開いてください。`,
  },
  away: {
    title: phrase`少しお待ちください`,
    text: phrase`現在、状態を確認できません。メールは失われません。1分後にもう一度お試しください。`,
  },
  tooMany: {
    title: phrase`少し時間をおいてください`,
    text: phrase`このページへのアクセスが多すぎます。しばらく待ってから、もう一度読み込んでください。`,
  },
};
