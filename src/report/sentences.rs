//! The sentences of the reasons in Kazakh, Russian and English.
//!
//! Legal wording is the regulations' (`regulations.md` §4.2 and §5.1): ECP_NOT_CONFIRMED and its sub-reasons
//! CERT_VALIDITY, CERT_REVOKED and ID_MISMATCH; the other sentences are ours.

use super::reason::certificate_name;
use super::{Language, Message, Reason};

/// The one message shown to the applicant when condition 3 is not met (ECP_NOT_CONFIRMED).
pub fn refusal_message() -> Message {
    Message {
        kk: "Тұтынушы ЭЦҚ-ның дұрыстығы расталмауына байланысты сұрау салынған қызметтен бас тартылды.".into(),
        ru: "Отказано в запрашиваемой услуге в связи с неподтверждением подлинности ЭЦП потребителя.".into(),
        en: "The requested service is refused: the authenticity of the applicant's signature is not confirmed.".into(),
    }
}

/// What the applicant is told while the question is open: keep the request, try again (`regulations.md` §5.1).
pub(super) fn open_question_message() -> Message {
    Message {
        kk: "Тұтынушы ЭЦҚ-ның дұрыстығы әзірге расталмады.".into(),
        ru: "Подлинность ЭЦП потребителя пока не подтверждена.".into(),
        en: "The authenticity of the applicant's signature is not confirmed yet.".into(),
    }
}

pub(super) fn sentence(reason: &Reason, language: Language) -> String {
    use Language::{En, Kk, Ru};
    use Reason::*;
    let say = |kk: String, ru: String, en: String| match language {
        Kk => kk,
        Ru => ru,
        En => en,
    };
    macro_rules! say {
        ($kk:literal, $ru:literal, $en:literal $(,)?) => {
            say(format!($kk), format!($ru), format!($en))
        };
    }
    let named = |position: &usize| certificate_name(language, *position);
    match reason {
        FcMalformed { what } => say!(
            "Құжаттың пішімі бұзылған: {what}.",
            "Формат документа нарушен: {what}.",
            "The document is malformed: {what}."
        ),
        FcNoSignature {} => {
            say!("Құжатта қолтаңба жоқ.", "Документ не содержит подписи.", "The document carries no signature.")
        }
        FcTransformNotAllowed { algorithm } => say!(
            "Рұқсат етілмеген түрлендіру: {algorithm}.",
            "Преобразование не допускается: {algorithm}.",
            "The transform is not allowed: {algorithm}."
        ),
        FcAmbiguousReference { what } => say!(
            "Неге қол қойылғаны біржақты анықталмайды: {what}.",
            "Подписанное определяется неоднозначно: {what}.",
            "What was signed is ambiguous: {what}."
        ),
        FcNotCovered { what } => say!(
            "Қолтаңба қажетті бөлікті қамтымайды: {what}.",
            "Подпись не охватывает требуемую часть: {what}.",
            "The signature does not cover what it must cover: {what}."
        ),
        FcLimitExceeded { limit, maximum } => say!(
            "Шектен асты: {limit}, ең көбі {maximum}.",
            "Превышен предел: {limit}, не более {maximum}.",
            "Limit exceeded: {limit}, at most {maximum}."
        ),
        FcUnsupportedFormat { format } => say!(
            "Құжат пішіміне қолдау көрсетілмейді: {format}.",
            "Формат документа не поддерживается: {format}.",
            "The document format is not supported: {format}."
        ),
        FcCheckNotEvaluated { check } => say!(
            "Міндетті тексеру орындалмады: {check}.",
            "Обязательная проверка не выполнена: {check}.",
            "A required check was not evaluated: {check}."
        ),
        IscSigningCertificateMissing {} => say!(
            "Қол қоюшының тіркеу куәлігі табылмады.",
            "Регистрационное свидетельство подписавшего не найдено.",
            "The signer's certificate was not found."
        ),
        IscCertificateReferenceMismatch {} => say!(
            "Қол қойылған куәлік сілтемесі қол қоюшының куәлігіне сәйкес келмейді.",
            "Подписанная ссылка на свидетельство не соответствует свидетельству подписавшего.",
            "The signed certificate reference does not match the signer's certificate."
        ),
        CvDigestMismatch {} => say!(
            "Құжаттың мазмұны қол қойылғаннан кейін өзгертілген.",
            "Содержание документа изменено после подписания.",
            "The content was altered after it was signed."
        ),
        CvSignatureInvalid {} => say!(
            "Қолтаңба мәні қол қоюшының кілтіне сәйкес келмейді.",
            "Значение подписи не соответствует ключу подписавшего.",
            "The signature value does not verify under the signer's key."
        ),
        CvSignedDataMissing {} => say!(
            "Қол қойылған деректер берілмеген.",
            "Подписанные данные не представлены.",
            "The signed data were not supplied."
        ),
        XcvNoPath {} => say!(
            "Сенім білдірілген куәландырушы орталыққа дейінгі тізбек құрылмады.",
            "Цепочка до доверенного удостоверяющего центра не построена.",
            "No certification path to a trust anchor was found."
        ),
        // CERT_VALIDITY
        XcvExpired { certificate, not_after, validation_time } => {
            let name = named(certificate);
            say!(
                "ЭЦҚ тіркеу куәлігінің қолданыс мерзімі өткен: {name}, {not_after} дейін, тексеру уақыты {validation_time}.",
                "Срок действия регистрационного свидетельства ЭЦП истек: {name}, до {not_after}, время проверки {validation_time}.",
                "The validity period has ended: {name}, not after {not_after}, validation time {validation_time}."
            )
        }
        XcvNotYetValid { certificate, not_before, validation_time } => {
            let name = named(certificate);
            say!(
                "ЭЦҚ тіркеу куәлігінің қолданыс мерзімі басталмаған: {name}, {not_before} бастап, тексеру уақыты {validation_time}.",
                "Срок действия регистрационного свидетельства ЭЦП не наступил: {name}, с {not_before}, время проверки {validation_time}.",
                "The validity period has not begun: {name}, not before {not_before}, validation time {validation_time}."
            )
        }
        XcvKeyUsage { certificate } => {
            let name = named(certificate);
            say!(
                "{name}: кілттің мақсаты (keyUsage) сай келмейді.",
                "{name}: назначение ключа (keyUsage) не подходит.",
                "{name}: the key usage does not fit the purpose."
            )
        }
        XcvExtendedKeyUsage { certificate } => {
            let name = named(certificate);
            say!(
                "{name}: кілттің қолданылу аясы (extendedKeyUsage) сай келмейді.",
                "{name}: область использования ключа (extendedKeyUsage) не подходит.",
                "{name}: the extended key usage does not fit the purpose."
            )
        }
        XcvPolicy { certificate } => {
            let name = named(certificate);
            say!(
                "{name}: куәлік саясаты сай келмейді.",
                "{name}: политика свидетельства не подходит.",
                "{name}: the certificate policy does not fit the purpose."
            )
        }
        XcvIssuerSignatureInvalid { certificate } => {
            let name = named(certificate);
            say!(
                "{name}: куәландырушы орталықтың қолтаңбасы жарамсыз.",
                "{name}: подпись удостоверяющего центра неверна.",
                "{name}: the issuer's signature is invalid."
            )
        }
        XcvBasicConstraints { certificate } => {
            let name = named(certificate);
            say!(
                "{name}: куәлік беруге құқығы жоқ (basicConstraints).",
                "{name}: нет права выдавать свидетельства (basicConstraints).",
                "{name}: it is not a certification authority (basicConstraints)."
            )
        }
        XcvPathLength { certificate } => {
            let name = named(certificate);
            say!(
                "{name}: тізбектің рұқсат етілген ұзындығынан асты (pathLenConstraint).",
                "{name}: превышена допустимая длина цепочки (pathLenConstraint).",
                "{name}: the path is longer than pathLenConstraint allows."
            )
        }
        XcvNameConstraints { certificate } => {
            let name = named(certificate);
            say!(
                "{name}: атауға қойылған шектеулер бұзылған.",
                "{name}: нарушены ограничения имён.",
                "{name}: name constraints are violated."
            )
        }
        XcvCriticalExtensionUnknown { certificate, extension } => {
            let name = named(certificate);
            say!(
                "{name}: белгісіз маңызды кеңейтім {extension}.",
                "{name}: неизвестное критическое расширение {extension}.",
                "{name}: unknown critical extension {extension}."
            )
        }
        XcvCertificateMalformed { certificate, what } => {
            let name = named(certificate);
            say!(
                "{name}: құрылымы бұзылған ({what}).",
                "{name}: структура нарушена ({what}).",
                "{name}: it is malformed ({what})."
            )
        }
        XcvBudgetExceeded { limit, maximum } => say!(
            "Тізбекті тексеру шегінен асты: {limit}, ең көбі {maximum}.",
            "Превышен предел проверки цепочки: {limit}, не более {maximum}.",
            "Path validation limit exceeded: {limit}, at most {maximum}."
        ),
        // CERT_REVOKED
        RevRevoked { revoked_at, reason } => say!(
            "ЭЦҚ тіркеу куәлігі кері қайтарылған (күші жойылған) куәліктер тізімінде: {revoked_at} бастап, себебі {reason}.",
            "Регистрационное свидетельство ЭЦП находится в списке отозванных (аннулированных): с {revoked_at}, причина {reason}.",
            "The certificate is in the list of revoked (annulled) certificates: since {revoked_at}, reason {reason}."
        ),
        RevCaRevoked { certificate, revoked_at, reason } => say!(
            "Тізбектегі № {certificate} куәлік кері қайтарылған: {revoked_at} бастап, себебі {reason}.",
            "Свидетельство № {certificate} цепочки отозвано: с {revoked_at}, причина {reason}.",
            "Certificate {certificate} of the path is revoked: since {revoked_at}, reason {reason}."
        ),
        RevUnavailable { certificate, cause } => {
            let name = named(certificate);
            say!(
                "{name}: кері қайтару туралы жарамды дерек жоқ ({cause}). Кейінірек қайталаңыз.",
                "{name}: нет пригодных данных об отзыве ({cause}). Повторите позже.",
                "{name}: no usable revocation data ({cause}). Try again later."
            )
        }
        RevStale { certificate, next_update, validation_time } => {
            let name = named(certificate);
            let until = next_update.map_or_else(|| "?".to_owned(), |t| t.to_string());
            say!(
                "{name}: кері қайтару деректерінің мерзімі өткен ({until} дейін, тексеру уақыты {validation_time}). Кейінірек қайталаңыз.",
                "{name}: данные об отзыве устарели (до {until}, время проверки {validation_time}). Повторите позже.",
                "{name}: the revocation data are out of date (until {until}, validation time {validation_time}). Try again later."
            )
        }
        RevOnHold { certificate, since } => {
            let name = named(certificate);
            say!(
                "{name}: қолданысы {since} бастап уақытша тоқтатылған.",
                "{name}: действие приостановлено с {since}.",
                "{name}: it is on hold since {since}."
            )
        }
        RevUnknown {} => say!(
            "Куәландырушы орталық бұл куәлікті білмейді.",
            "Удостоверяющему центру это свидетельство неизвестно.",
            "The responder does not know the certificate."
        ),
        SavAlgorithmNotAllowed { algorithm } => say!(
            "Алгоритмге рұқсат жоқ: {algorithm}.",
            "Алгоритм не допускается: {algorithm}.",
            "The algorithm is not allowed: {algorithm}."
        ),
        SavAttributeMissing { attribute } => say!(
            "Қол қойылатын атрибут жоқ: {attribute}.",
            "Отсутствует подписываемый атрибут: {attribute}.",
            "A signed attribute is missing: {attribute}."
        ),
        SavAttributeDuplicated { attribute } => say!(
            "Қол қойылатын атрибут қайталанған: {attribute}.",
            "Подписываемый атрибут повторяется: {attribute}.",
            "A signed attribute is repeated: {attribute}."
        ),
        SavAttributeInconsistent { attribute } => say!(
            "Қол қойылатын атрибут қайшы: {attribute}.",
            "Подписываемый атрибут противоречив: {attribute}.",
            "A signed attribute is inconsistent: {attribute}."
        ),
        SavSigningTimeImplausible { claimed, validation_time } => say!(
            "Көрсетілген қол қою уақыты {claimed} шындыққа сай емес (тексеру уақыты {validation_time}).",
            "Заявленное время подписания {claimed} неправдоподобно (время проверки {validation_time}).",
            "The claimed signing time {claimed} is implausible (validation time {validation_time})."
        ),
        SavMessageExpired { expires, validation_time } => say!(
            "Хабарламаның жарамдылық мерзімі {expires} аяқталған (тексеру уақыты {validation_time}).",
            "Срок действия сообщения истёк {expires} (время проверки {validation_time}).",
            "The message expired at {expires} (validation time {validation_time})."
        ),
        SavMessageReplayed { .. } => say!(
            "Бұл хабарлама бұрын қабылданған: ол екінші рет жіберілген.",
            "Это сообщение уже было принято: оно отправлено повторно.",
            "This message was taken before: it was sent a second time."
        ),
        SavSeenBefore {} => say!(
            "Бұл қол қойылған құжат бұрын тіркелген.",
            "Этот подписанный документ уже зарегистрирован.",
            "This signed document was registered before."
        ),
        SavPolicyNotInForce { until, best_signature_time } => say!(
            "Тексеру ережелері {until} дейін күшінде болды, ал қолтаңбаның дәлелденген уақыты {best_signature_time}.",
            "Правила проверки действовали до {until}, а доказанное время подписи – {best_signature_time}.",
            "The rules of verification were in force until {until}, and the signature is proven for {best_signature_time}."
        ),
        TspMalformed { what } => say!(
            "Уақыт белгісінің пішімі бұзылған: {what}.",
            "Формат метки времени нарушен: {what}.",
            "The time-stamp token is malformed: {what}."
        ),
        TspAlgorithmNotAllowed { algorithm } => say!(
            "Уақыт белгісінің алгоритміне рұқсат жоқ: {algorithm}.",
            "Алгоритм метки времени не допускается: {algorithm}.",
            "The algorithm of the time-stamp token is not allowed: {algorithm}."
        ),
        TspImprintMismatch {} => say!(
            "Уақыт белгісі осы қолтаңбаға берілмеген.",
            "Метка времени выдана не для этой подписи.",
            "The time-stamp token is not over this signature."
        ),
        TspSignatureInvalid {} => say!(
            "Уақыт белгісінің қолтаңбасы жарамсыз.",
            "Подпись метки времени неверна.",
            "The signature of the time-stamp token is invalid."
        ),
        TspCertificateMissing {} => say!(
            "Уақыт белгісі қызметінің куәлігі табылмады.",
            "Свидетельство службы меток времени не найдено.",
            "The certificate of the time-stamping authority was not found."
        ),
        TspCertificateReferenceMismatch {} => say!(
            "Уақыт белгісіндегі куәлік сілтемесі жоқ немесе қызметтің куәлігіне сәйкес келмейді.",
            "Ссылка на свидетельство в метке времени отсутствует или не соответствует свидетельству службы.",
            "The token's signed certificate reference is missing or does not match the authority's certificate."
        ),
        TspExtendedKeyUsage {} => say!(
            "Уақыт белгісі қызметінің куәлігі тек уақыт белгілеуге арналмаған (extendedKeyUsage).",
            "Свидетельство службы не предназначено исключительно для меток времени (extendedKeyUsage).",
            "The authority's certificate is not for time-stamping alone (critical extendedKeyUsage)."
        ),
        TspAuthorityMismatch {} => say!(
            "Уақыт белгісіндегі қызмет атауы оның куәлігіне сәйкес келмейді.",
            "Имя службы в метке времени не соответствует её свидетельству.",
            "The authority named in the token is not the one of its certificate."
        ),
        TspHashIndexInvalid { what } => say!(
            "Мұрағаттық уақыт белгісінің индексі құжатқа сәйкес келмейді ({what}).",
            "Индекс архивной метки времени не соответствует документу ({what}).",
            "The index of the archive time-stamp does not fit the document ({what})."
        ),
        TspOrder { gen_time, covered_at } => say!(
            "Уақыт белгісі {gen_time} оны қамтитын {covered_at} белгісінен кейін жасалған.",
            "Метка времени {gen_time} позже метки {covered_at}, которая её охватывает.",
            "The time of the token, {gen_time}, is after the time of a token that covers it, {covered_at}."
        ),
        TspTimeImplausible { gen_time, validation_time } => say!(
            "Уақыт белгісінің уақыты {gen_time} тексеру уақытынан {validation_time} кейін.",
            "Время метки {gen_time} позже времени проверки {validation_time}.",
            "The time of the token, {gen_time}, is after the validation time {validation_time}."
        ),
        TspOutsideValidity { gen_time, not_before, not_after } => say!(
            "Уақыт белгісі {gen_time} қызмет куәлігінің мерзімінен тыс ({not_before} – {not_after}).",
            "Метка времени {gen_time} вне срока свидетельства службы ({not_before} – {not_after}).",
            "The time of the token, {gen_time}, is outside the validity of the authority's certificate ({not_before} to {not_after})."
        ),
        TspNoPath {} => say!(
            "Уақыт белгісі қызметінен сенім білдірілген орталыққа дейінгі тізбек құрылмады.",
            "Цепочка от службы меток времени до доверенного центра не построена.",
            "No certification path from the time-stamping authority to a trust anchor was found."
        ),
        TspCertificateInvalid { cause } => say!(
            "Уақыт белгісі қызметінің куәлігі расталмады ({cause}).",
            "Свидетельство службы меток времени не подтверждено ({cause}).",
            "The certificate of the time-stamping authority is not valid ({cause})."
        ),
        TspExpired { not_after, validation_time } => say!(
            "Уақыт белгісі қызметі куәлігінің мерзімі өткен: {not_after} дейін, тексеру уақыты {validation_time}.",
            "Срок свидетельства службы меток времени истек: до {not_after}, время проверки {validation_time}.",
            "The certificate of the time-stamping authority has expired: not after {not_after}, validation time {validation_time}."
        ),
        TspRevoked { revoked_at, reason } => say!(
            "Уақыт белгісі қызметінің куәлігі кері қайтарылған: {revoked_at} бастап, себебі {reason}.",
            "Свидетельство службы меток времени отозвано: с {revoked_at}, причина {reason}.",
            "The certificate of the time-stamping authority is revoked: since {revoked_at}, reason {reason}."
        ),
        TspRevocationUnavailable { cause } => say!(
            "Уақыт белгісі қызметінің куәлігі туралы жарамды кері қайтару дерегі жоқ ({cause}).",
            "Нет пригодных данных об отзыве свидетельства службы меток времени ({cause}).",
            "There are no usable revocation data for the time-stamping authority ({cause})."
        ),
        IdNotDeclared {} => say!(
            "Сұрау салуда ЖСН/БСН көрсетілмеген.",
            "В запросе не указан ИИН/БИН.",
            "The request declares no IIN or BIN."
        ),
        // ID_MISMATCH
        IdApplicantMismatch { identifier } => say!(
            "Сұрау салудағы ЖСН/БСН мен ЭЦҚ тіркеу куәлігіндегі ЖСН/БСН сәйкес келмейді ({identifier}).",
            "ИИН/БИН, указанный в запросе, не совпадает с ИИН/БИН в регистрационном свидетельстве ЭЦП ({identifier}).",
            "IIN/BIN in the request and IIN/BIN in the certificate differ ({identifier})."
        ),
        IdContentMismatch { identifier } => say!(
            "Қол қойылған құжаттағы ЖСН/БСН мен ЭЦҚ тіркеу куәлігіндегі ЖСН/БСН сәйкес келмейді ({identifier}).",
            "ИИН/БИН в подписанном документе не совпадает с ИИН/БИН в регистрационном свидетельстве ЭЦП ({identifier}).",
            "IIN/BIN in the signed content and IIN/BIN in the certificate differ ({identifier})."
        ),
        IdContentUnreadable { what } => say!(
            "Қол қойылған құжаттан ЖСН/БСН оқылмады: {what}.",
            "ИИН/БИН не прочитан из подписанного документа: {what}.",
            "The IIN/BIN cannot be read from the signed content: {what}."
        ),
        IdBinNotDeclared {} => say!(
            "Заңды тұлғаның куәлігі, ал сұрау салуда БСН көрсетілмеген.",
            "Свидетельство юридического лица, а БИН в запросе не указан.",
            "The certificate is a legal entity's, and the request declares no BIN."
        ),
        IdAttributeMissing { attribute } => say!(
            "Тіркеу куәлігінде сәйкестендіргіш жоқ: {attribute}.",
            "В регистрационном свидетельстве нет идентификатора: {attribute}.",
            "The certificate carries no identifier: {attribute}."
        ),
        IdAttributeAmbiguous { attribute } => say!(
            "Тіркеу куәлігіндегі сәйкестендіргіш біржақты емес: {attribute}.",
            "Идентификатор в регистрационном свидетельстве неоднозначен: {attribute}.",
            "The identifier in the certificate is ambiguous: {attribute}."
        ),
        IdRoleNotAllowed {} => say!(
            "Куәлік иесінің өкілеттігі бұл қызмет үшін жеткіліксіз.",
            "Полномочия владельца свидетельства для этой услуги недостаточны.",
            "The certificate holder's role is not allowed for this service."
        ),
        IdCheckDigit { identifier } => say!(
            "Бақылау разряды қате: {identifier}.",
            "Контрольный разряд неверен: {identifier}.",
            "The check digit is wrong: {identifier}."
        ),
    }
}
