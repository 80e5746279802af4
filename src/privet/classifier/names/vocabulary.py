"""What the words in columns' names mean: many languages and habits, few English words.

Each line gives one word of our rules, and the words and abbreviations that mean it. Accents are
left out and letters are small, as `naming` makes them; `ae` stands beside the plain vowel where
people write both. Words that mean something else in English (`data`, `note`) are left out.
"""

from __future__ import annotations

_MEANINGS = """
email: mail emails mails correo courriel mel emailadresse mailadresse epost sahkoposti epasts
  eposta имейл почта メール メールアドレス 电子邮件 邮箱 邮件 電郵 이메일 البريد
phone: ph phn fon fone phones tel tele telephone telephones telefon telefono telefone telefoon
  telefonnummer telefonnr telno telnum phoneno phonenum puhelin puhelinnumero puh telefonszam
  telefonu telepon telp rufnummer telefonnumer telefonski sdt dienthoai msisdn whatsapp
  телефон 電話 電話番号 电话 电话号码 手机 手机号 手机号码 전화 전화번호 휴대폰 هاتف טלפון
  टेलीफोन फोन โทรศัพท์ τηλεφωνο
fax: telefax faks faxnummer faxno facsimile
mobile: mob mobil handy handynummer movil cellulare celular gsm kannykka mobilni mobiltelefon
  mobilnummer mobiel telemovel komorka cellphone cellphones
num: no nr nbr nmbr nro nos number numbers numer numero nummer numara numri numarul numaras
  broj cislo szam szama номер 番号 号码 번호 รหัส
id: ident identifier identifiant identidade kennung ids kimlik
identification: identificacion identifikation identificativo
date: dt dat datum fecha dato paivamaara tarih tanggal ngay дата 日付 日期 날짜
day: giorno jour dia
birth: geb geburt geburts nacimiento nac naissance naiss nascita nasc nascimento fodsel
  fodelse fodt narozeni urodzenia urodz syntyma szuletesi nasterii dogum lahir geboorte
  rodjenja narodenia sinh рождения born
birth_date: bday birthday birthdate birthdt bdate gebdat gebdatum geburtsdatum geburtstag
  geboortedatum fodelsedatum fodselsdato foedselsdato cumpleanos datanascita datanascimento
  fechanacimiento datenaissance syntymaaika doğumtarihi dogumtarihi szuletesnap 生年月日
  誕生日 出生日期 생년월일 생일 生日 dob
name: nm nombre nombres nom noms nome namen navn namn nimi nev nume isim nama naam nomes onoma
first: given primer primeiro
first_name: fname firstname forename vorname prenom prenoms pren fornavn fornamn etunimi imie
  jmeno keresztnev prenume ime voornaam имя 名 이름 名字 givenname
last: family
last_name: lname lastname surname surnames sname nachname nachnamen apellido apellidos apell
  apellido1 apellido2 cognome cognomi sobrenome apelido efternavn efternamn etternavn sukunimi
  nazwisko prijmeni vezeteknev soyad soyadi soyisim familienname familyname prezime achternaam
  tussenvoegsel priezvisko фамилия 姓 苗字 성씨
middle: mid segundo
middle_name: mname middlename отчество zweitname
full: complete completo complet vollstaendiger
full_name: fullname fullnm vollname voller nombrecompleto nomecompleto nomcomplet
  vollstaendiger completo complet 氏名 姓名 お名前 名前 성명 фио فullname الاسم
maiden: mothers
maiden_name: maidenname geburtsname birthname
nick:
nick_name: nickname spitzname
person: persons people customer customers cust client clients member mbr employee employees
  emp empl staff worker guest holder cardholder accountholder owner applicant beneficiary
  insured subscriber resident tenant student pupil teacher author buyer purchaser payer payee
  borrower debtor guarantor spouse partner mother father parent child guardian relative kin
  nok recipient sender driver passenger traveler traveller donor participant subject citizen
  voter candidate signatory respondent attendee caller lead consumer kunde kunden kundin
  mitarbeiter angestellter versicherter inhaber fahrer schueler bewerber ansprechpartner
  empfaenger absender cliente clientes empleado titular asegurado alumno salarie employe
  adherent assure abonne destinataire dipendente utente intestatario funcionario klant
  medewerker werknemer kund anstalld asiakas klient pracownik ugyfel angajat musteri calisan
  pelanggan karyawan клиент сотрудник 顧客 客户 用户 고객 사용자 manager supervisor agent
  broker nurse surgeon attorney lawyer judge officer physician doctor arzt clinician
  practitioner referrer prescriber
contact: contacts kontakt kontakte contacto contatto kontaktowy
patient: patients pat pt patienten pacient paciente pazient paziente potilas pacjent пациент
  患者 환자 pasien patientin
address: addr addrs adr adrs addresses direccion direcciones adresse adressen adres adresa
  indirizzo endereco morada adress osoite lakcim alamat anschrift domicilio domicile
  wohnadresse адрес 住所 地址 주소 عنوان
street: strasse straße calle rue rua gata katu ulica ulice utca sokak strada straat streetname
  strassenname улица 街道 strasze gasse
house: haus hausnr hausnummer huisnummer
city: town wohnort stadt ville ciudad citta cidade stad kaupunki miasto mesto varos oras sehir
  kota gemeente kommune municipality municipio localidad localite commune gemeinde plaats
  город 市区町村 城市 도시 ort county counties landkreis
zip: zipcode zipcd zip5 plus4 plz postleitzahl postcode postcodes postalcode codepostal
  codigopostal cep postnr postnummer postinumero psc kodpocztowy iranyitoszam kodepos postleit
  pincode eircode pcode 郵便番号 邮编 邮政编码 우편번호 индекс
postal: post postale pocztowy
code: cd kod codigo codice kode codes код
ssn: socialsecurity socsec socialsecuritynumber ssnum ssn4 ssnlast4
national: nationalid nif nie dni cpf pesel nir nino bsn hetu cpr personnummer personnr
  fodselsnummer personalnumber personalausweis ausweisnummer ausweisnr codicefiscale
  codfiscale codfisc cnp egn oib jmbg emso curp aadhaar aadhar rrn nric tckn tckimlik tcno
  socialinsurance nationalinsurance nhsnumber nhsno insee numsecu rodnecislo rodne
  henkilotunnus kennitala isikukood asmenskodas personaskods sozialversicherung steuerid
  steueridnr steuernummer idnr taxid taxpayerid taxpayer tin itin tfn ird pps ppsn ahv
  ahvnummer cedula idcard identitycard citizenid nationalidentifier personalid ktp nik
  mynumber снилс инн マイナンバー 身份证 身份证号 身份证号码 주민등록번호 주민번호
  personalcode bvn nhs svnr sozialversicherungsnummer
passport: passportno passportnum reisepass reisepassnummer pasaporte passeport passaporto
  passaporte passnr passnummer paspoort pasaport paszport paszportu путевойпаспорт паспорт
  護照 护照 여권 パスポート
license: licence lic licens licenza permis permiso licencia patente lisans
driver_license: driverslicense driverlicense driverslicence fuehrerschein fuhrerschein
  fuehrerscheinnummer fuhrerscheinnummer rijbewijs korkort prawojazdy dlno
driver: drivers driving chauffeur conduire conducir
plate: licenseplate licenceplate numberplate kennzeichen kfzkennzeichen matricula targa placa
  immatriculation kenteken regplate registrationplate plaka rendszam rejestracyjny
vehicle: car auto fahrzeug vehiculo vehicule veicolo veiculo voertuig kfz
vin: vinnumber vinnum chassis chassisno fahrgestellnummer
mrn: medrec medrecno medicalrecord medicalrecordnumber patientnumber patientno hospitalno
  hospitalnumber chartno chartnumber krankenaktennummer patientennummer patnr emr
medical: med medizin medico
record: rec akte aktenzeichen expediente dossier
chart:
beneficiary: hicn mbi medicareid medicaidid medicaid medicare healthplan versichertennummer
  versichertennr krankenversichertennummer kvnr policyholder
insurance: ins insur versicherung seguro assurance assicurazione
health: salud gesundheit sante saude
account: acct acc accnt konto cuenta compte conto conta rekening tili ucet szamla hesap счет
  口座
bank_account: bankaccount bankkonto
account_num: acctno accountno accountnumber accno kontonummer kontonr rekeningnummer 口座番号
  账号 계좌번호
bank: banks banca banque banco
iban: ibannumber ibannr
routing: aba rtn routingnumber sortcode blz bankleitzahl
card: cards tarjeta cartao kaart karty karta
card_num: cardno cardnumber cardnum kartennummer kartennr
credit_card: creditcard debitcard creditcardnumber ccnumber ccnum ccno ccn kreditkarte
  kreditkartennummer primaryaccountnumber
credit: kredit credito crediti
debit: debito
cvv: cvc cvv2 cvc2 securitycode
expiry: exp expires expiration expire expirydate expirationdate ablauf ablaufdatum gueltig
  caducidad validade scadenza
ip: ipaddr ipaddress ipadresse ipv4 ipv6 ipadr clientip remoteip sourceip srcip dstip userip
  hostip ipv
mac: macaddr macaddress macadresse
device: devices geraet handset
imei: imeis imsi iccid meid udid idfa gaid aaid androidid advertisingid deviceid simserial
serial: serialno serialnumber seriennummer serienr
url: urls uri website homepage webpage webseite weburl www
user: usuario utilisateur usr users benutzer gebruiker pengguna
login: username usrname userlogin benutzername nomutilisateur uname loginname screenname
  twitter instagram
password: passwd pwd passwort kennwort passphrase passcode contrasena contraseña motdepasse
  mdp senha wachtwoord losenord haslo heslo jelszo parola sifre pw passwordhash pwhash
  userpassword пароль パスワード 密码 비밀번호
pin: pinnumber
secret: secrets apisecret secretkey clientsecret geheimnis sharedsecret webhooksecret
private_key: privatekey signingkey encryptionkey
access_key: accesskey
access_token: accesstoken refreshtoken authtoken bearertoken sessiontoken
api_key: apikey apitoken
token: tokens
key: keys schluessel clave
biometric: biometrics biometrie fingerprints fingerabdruck voiceprint faceprint irisscan
  retina handprint palmprint huella
fingerprint: thumbprint
face: facial gesicht
voice: stimme
photo: photos photograph foto picture portrait headshot mugshot selfie profilepic profilephoto
  avatar passbild lichtbild 写真 照片 사진
latitude: lat latitud breitengrad latitudine
longitude: lng lon long longitud laengengrad longitudine
coordinates: coords geolocation latlng latlong latlon geopoint gpscoordinates
gps:
admission: admit admitted aufnahme einweisung ingreso ricovero
discharge: discharged entlassung dimissione
death: dod deceased sterbe sterbedatum muerte deces morte dateofdeath
service:
diagnosis: dx diagnose diagnosen diagnostico diagnosi icd icd9 icd10 icdcode icd10code 診断
  诊断
npi: npinumber nationalprovideridentifier
dea: deanumber
certificate: cert zertifikat certificado certificat
employee_id: personnelno personalnummer empno badge badgeno
""".strip()

MEANINGS: dict[str, str] = {}
for _line in _MEANINGS.replace("\n  ", " ").splitlines():
    _meaning, _, _words = _line.partition(": ")
    MEANINGS[_meaning] = _meaning
    for _word in _words.split():
        MEANINGS.setdefault(_word, _meaning)
"""What a word of a name means to our rules, by the word."""

DROPPED = frozenset(
    "of the de del della dei di da do dos das des du d la le les el los las l van von der die das"
    " den dem zu zur for fuer pour para per a an my s en et y und and ve"
    " primary secondary prim sec main alt alternate alternative other old new current curr previous"
    " prev raw orig original clean cleaned cleansed normalized norm default masked encrypted enc"
    " hashed hash plain text txt string str varchar char val value values field fld col column attr"
    " input line personal business principal legal permanent temporary temp res residential"
    " x c f v t tbl".split()
)
"""Words that change nothing about what a column holds."""
