"""The words that stand beside a number and say what it is, in some fifty languages: data, no rules.

One expression finds them all: the leftmost match wins, and of those that begin at the same place the first one. So
"zip code" is a match of its own, and the "code" in it none.
"""

# ruff: noqa: E501, ISC004, RUF001 - rows of words; every alphabet is meant

import re

_COMMERCE = (
    r"(?:promo\w{0,15}|discount|coupon|voucher|gift|gift ?card|referral|offer|savings?|rabatt?|gutschein|aktions)"
)

# What a number beside these words is: not a one-time code.
_OTHER = (
    rf"\b{_COMMERCE}(?:s|-)?[ -]?(?:code|number|no\b|nummer)\w*",
    r"\b(?:zip|postal|post|area|country|dial(?:l?ing)?|dress|qr|bar|status|error|exit|return|response|source|sort|swift|"
    r"bank|branch|item|product|article|order|booking|reservation|tax|stock|colou?r|reason|model|project|class|course|"
    r"store|customer|client|member|airport|building|morse|genetic|penal|http|https|sku|vendor|currency|cost|billing|"
    r"approval|transaction|tracking|delivery note)[ -]?(?:codes?|pins?)\b",
    r"\b(?:order|invoice|receipt|ticket|case|tracking|shipment|booking|reservation|confirmation|account|customer|member"
    r"(?:ship)?|reference|ref|policy|contract|serial|part|phone|telephone|tel|mobile|fax|hotline|flight|seat|"
    r"room|gate|table|meter|transaction|approval|store|employee|licen[cs]e|version|build|line|page|item|article|"
    r"conference|meeting|webinar|purchase|pull request|issue|request|model|card|id|isbn|sku|iban|bic|vat|"
    r"version|release|port|pid|batch|lot|bill|statement|donation|registration|document|claim|job|route|routing)\b"
    r"(?: ?(?:number|numbers|no|nos|nr|id|ids|ref)\b)?",
    r"\b(?:ending|ends|ended) (?:in|with)|\bending\b|\bp[or]\W{0,2}$|\b(?:call|phone|dial|text|contact) (?:us|me|\+)",
    r"\b(?:bestell|rechnungs?|kunden|auftrags|sendungs|artikel|vorgangs|beleg|konto|mitglieds?|vertrags|serien|telefon|"
    r"steuer|ticket|buchungs|referenz|fall|lieferschein|rück?ruf|zähler|postleit|versand|produkt|fehler|status|quell|"
    r"barcode|strich|filial)(?:nummer|nr|code|zahl)\w*|\b(?:bestellung|rechnung|kundennr|plz|betrag|telefon)\b",
    r"\b(?:num[ée]ro|n[°º]|nº|n\.º|commande|facture|suivi|r[ée]f[ée]rence|dossier|t[ée]l[ée]phone)\b"
    r"|\bcode (?:postal|promo\w*|barres?|client|produit|article|de r[ée]duction|de suivi|commande|erreur)|\bcode-barres",
    r"\bc[óo]digos? (?:postal|de barras|promocional\w*|de desc\w+|de cup\w+|del? (?:cliente|producto|produto|pedido|"
    r"rastre\w+|seguimiento|error|erro|reserva)|swift)|\b(?:pedido|factura|fatura|cup[óo]n|cupom|tel[ée]fono|"
    r"telefone|cliente|contrato|rastreio|env[ií]o|reserva|clave de rastreo)\b",
    r"\bcodice (?:fiscale|postale|cliente|prodotto|articolo|sconto|ordine|a barre|promo\w*|iban|errore|prenotazione|"
    r"spedizione|di tracciamento)|\b(?:ordine|fattura|spedizione|prenotazione|partita iva|telefono)\b",
    r"\b(?:kortings?|post|bestel|product|artikel|streepjes|klant|foutmelding|rabatt?|kampanj|kampanje|tilbuds|varu|vare|"
    r"alennus|posti|tuote|fout|fel|order|kund|kunde|ordre|faktura|factuur)(?:code|kode?n?|koodi\w*|nummer|nr)\b",
    r"\bkod\w* (?:pocztow\w*|rabatow\w*|kreskow\w*|produktu|promocyj\w*|klienta)|\b(?:zam[óo]wieni\w+|faktur\w+|"
    r"przesy[łl]k\w+)|\bk[óo]d\w* (?:produktu|kup[óo]nu|z[áa]kazn\w+)|\b(?:ps[čc]|objedn[áa]v\w+)|\b(?:posta|indirim|kupon|"
    r"[üu]r[üu]n|sipari[şs]|fatura|kargo|m[üu][şs]teri) ?(?:kod|no|numaras)\w*|\bkod(?:ak|iak)\w*|\bcod(?:ul)? po[șs]tal\w*",
    r"\b(?:kode|kod) (?:pos|promo|diskon|voucher|produk|pesanan|bayar|booking)\b|\b(?:nomor|no\.) (?:pesanan|resi)",
    r"\bmã (?:đơn|giảm|bưu|vận|sản|khuyến|khách|số thuế|hàng|vạch|đặt)\w*",
    r"\b(?:почтов\w+|промо\w*|номер\w*|заказ\w*|счет\w*|счёт\w*|накладн\w*|трек\w*|индекс\w*|телефон\w*|артикул\w*|"
    r"скидк\w*|замовлен\w*|рахун\w*|поръчк\w*|фактур\w*)(?: (?:код|заказа|счета))?|\bкод\w* (?:товара|клиента|ошибки|города|"
    r"скидки|купона)|\b(?:штрих|qr)-?код\w*|\bт[εέ]λ|ταχυδρομικ\w+|παραγγελί\w+|κωδικ\w+ (?:προϊόντος|παραγγελίας|έκπτωσης)",
    r"订单\w{0,2}|訂單\w{0,2}|单号|單號|快递|邮编|郵編|优惠\w{0,3}|優惠\w{0,3}|折扣码|兑换码|邀请码|金额|电话|热线|客服|发票|商品编码|条形?码|"
    r"尾号\w{0,3}",
    r"注文\w{0,2}|請求書?|商品コード|クーポン(?:コード)?|割引コード|郵便番号|お問い合わせ\w{0,2}|電話\w{0,2}|会員番号|追跡番号|予約番号|"
    r"バーコード|エラーコード|ソースコード|末尾|受付番号",
    r"주문 ?번호|송장 ?번호|쿠폰 ?(?:번호|코드)?|할인 ?코드|우편 ?번호|고객센터|전화 ?번호|예약 ?번호|금액|상품 ?코드|문의|바코드|오류 ?코드",
    r"الرمز البريدي|رمز بريدي|(?:كود|رمز) (?:الخصم|خصم|القسيمة|المنتج)|رقم \w+|کد (?:پستی|تخفیف|سفارش|رهگیری|ملی)|کدپستی|"
    r"קוד (?:קופון|הנחה|מיקוד|מוצר)|מיקוד|מספר הזמנה|רหัสไปรษณีย์|รหัส(?:ไปรษณีย์|สินค้า|ส่วนลด|ลูกค้า)|"
    r"(?:पिन|डाक|कूपन|उत्पाद) ?कोड|ऑर्डर|পিন ?কোড|কুপন",
)

# What a number beside these words is: a one-time code, if nothing else is said.
_CODE = (
    r"\botps?\b|\bpins?\b|\bm?tans?\b|\b2fa\b|\btoken\b|\b(?:verification|authentication|security) (?:number|pin|key|digits)\b",
    r"(?:(?<!de)(?<!en)(?<!uni)code|kode|koodi|kood|passwort|kennwort|lösenord|wachtwoord|passord)[sn]?(?:si|ne|t|en)?\b",
    r"kod[a-zçğıöşüąęłž]{0,8}\b|k[óo][dð][a-záéíóöőúüűýčěřšžď]{0,8}\b|\bkood\w{0,4}|k[oó]t[ua]\b|\bcód(?:anna)?\b",
    r"\b(?:temporary |one[- ]time |single[- ]use )?passwords?\b|\bpass(?:code|phrase|key)s?\b",
    r"\bmot de passe\b|\bclaves?\b|\bcontraseña\b|\bsenha\b|\bc[óo]dig(?:o|os)\b|\bcodi\b|\bcodic[ei]\b|\bpassword\b",
    r"\bcod(?:ul)?\b(?= (?:de|tău|dvs|dumneavoastră|este))|\bcod(?:ul)?:|\bşifre\w*|\bsandi\b|\bmã(?= |:)|\bmsimbo\b",
    r"\bκωδικ\w{1,4}|\bкод\w{0,4}\b|\bпарол\w{1,2}\b|\bpin-?код\w*|\bկոդ\w*|კოდი\w*",
    r"(?:验证|驗證|校验|校驗|确认|確認|动态|動態|安全|激活|登录|登入|认证|認證|识别|提取|授权|一次性)(?:码|碼|密码|密碼|代码|代碼|口令)|口令|密码|密碼",
    r"コード|ワンタイムパスワード|(?:認証|確認|暗証|検証)番号|パスコード|認証キー|仮パスワード",
    r"(?:인증|보안|확인|승인) ?(?:번호|코드|키)|코드|일회용 ?비밀번호|임시 ?비밀번호|비밀번호",
    r"(?:ال)?رمز|(?:ال)?كود|کد|کوڈ|رمز عبور|קוד|הקוד|סיסמ\w{1,3}|कोड|ओटीपी|পাসকোড|কোড|ওটিপি|รหัส\w*|កូដ|කේත|କୋଡ|ڪوڊ|ኮድ|ລະຫັດ|ကုဒ်|குறியீ|కోడ్|કોડ|ਕੋਡ|കോഡ്|ಕೋಡ್",
)
LABEL = re.compile(f"(?P<other>{'|'.join(_OTHER)})|(?P<code>{'|'.join(_CODE)})", re.IGNORECASE)

# A shop speaks of savings: its "code" is good for a discount.
COMMERCE = re.compile(
    r"% (?:off|de desc|rabatt)|\b(?:checkout|discounts?|coupons?|vouchers?|promo\w*|sale|off your|save \W?\d+|"
    r"gutschein\w*|rabatt\w*|sparen|sparst|remise|réduction|descuento|desconto|cupom|cupón|sconto|korting|скидк\w*|промокод)"
    r"\b|\d ?% ?(?:off|rabatt|de)|优惠|折扣|割引|クーポン|할인|خصم",
    re.IGNORECASE,
)

# What a reader is asked to do with a number that stands alone.
_TYPE = (
    r"\b(?:enter|type|input|insert|key in|copy|paste|use)\b|\b(?:gib|geben sie|tippe)\b|\bsaisi\w+|\b(?:introdu\w+|ingres\w+|"
    r"escrib\w+)|\bdigit\w*|\binser\w+|\bwpisz|\bzadejte|\bvul\b|\b(?:ange|skriv|indtast|syötä)\b|\bgirin\w*|\bвведите|"
    r"\bвведіть|输入|輸入|填写|入力|입력|أدخل|ادخل|وارد|הזן|दर्ज|กรอก|\bnhập\b|\bmasukkan\b"
)
TYPE_IT = re.compile(_TYPE, re.IGNORECASE)
TYPE_IT_NOW = re.compile(rf"(?:{_TYPE})\W{{0,4}}$", re.IGNORECASE)  # right in front of the number

# A message about getting in.
ABOUT_ENTRY = re.compile(
    r"verif|confirm|activat|authent|\bsign(?:ing)?[ -]?(?:in|up)\b|\blog(?:ging)?[ -]?in\b|\bpassword|\bsecurity|\bone[- ]time|"
    r"\btwo[- ](?:step|factor)|\b2fa\b|\baccess\b|\bidentity\b|\bit.?s you\b|regist|bestätig|anmeld|aktivier|sicherheit|"
    r"passwor|zugang|einmal|vérif|connexion|mot de passe|activer|réinitial|acceso|inici\w{1,10} sesi|activa|contraseñ|"
    r"restable|senha|ativ[ae]|redefin|attiva|accesso|reimposta|inlog|aanmeld|bevestig|wachtwoord|logga in|bekräft|bekreft|"
    r"tilmeld|vahvist|kirjaudu|potwierd|zalog|hasł|aktyw|ověř|přihl|heslo|megerős|jelszó|doğrula|onay|giriş|şifre|parol|"
    r"подтверд|вход|войти|активир|пароль|підтверд|потвърж|potvr|επαλήθ|επιβεβ|σύνδεσ|xác (?:minh|nhận|thực)|đăng|"
    r"verifikasi|konfirmasi|sandi|验证|驗證|登录|登入|激活|注册|註冊|重置|密码|密碼|認証|確認|ログイン|登録|パスワード|인증|로그인|가입|비밀번호|확인|"
    r"تحقق|تأكيد|تفعيل|تسجيل|كلمة|تایید|ورود|فعال|אימות|כניסה|הפעל|सत्यापन|पुष्टि|যাচাই|ยืนยัน|เข้าสู่ระบบ",
    re.IGNORECASE,
)

# What a number in front of these words counts.
UNIT = re.compile(
    r" ?(?:%|‰|°|€|\$|£|¥|₹|₽|₩|₺|zł|kč|元|円|원|日|月|年|号|號|名|件|点|個|个|次|人|분|일|년|월|시|명|개|х|×|x\d)|"
    r" ?(?:(?:kilo|mega|giga)?(?:bytes?|watts?)|[kmgt]i?b|kwh?|km|kg|mg|ml|cm|mm|px|pt|hz|mhz|ghz|lbs?|oz|eur|usd|gbp|chf|inr|"
    r"jpy|cny|rub|pln|sek|nok|dkk|czk|h|s|ms|sec(?:onds?)?|min(?:utes?|uten|utos|uti|uts)?|hours?|stunden|heures|horas|ore|"
    r"days?|tagen?|jours|d[ií]as|weeks?|months?|years?|uhr|o'clock|am|pm|utc|gmt|cet|cest|est|pst|items?|files?|"
    r"lines?|users?|people|visits?|visitors?|views?|likes|followers|requests?|rows?|errors?|points?|punkte|pages?|steps?|"
    r"times?|cells?|employees|members|customers|characters|frauds?|others|others?|минут\w*|час\w*|руб\w*|дней|sites?)\b",
    re.IGNORECASE,
)
