//! What only this machine's TPM opens: a sealed secret, and two small places inside the chip that no copy of a disk brings back.
//!
//! A TPM doesn't sign with our algorithm, so it seals: [`Tpm::seal`] gives bytes that may lie anywhere, and only the same chip makes the
//! secret of them again. [`Tpm::write_place`] keeps a few bytes in the chip itself; whoever puts a disk back doesn't put them back.
//!
//! Nothing here knows what the secret is for. Each call opens the chip, does one thing and closes it: other programs use it, too.
//! Neither the sealed secret nor a place counts wrong tries (their authorisation is random), so nobody can lock this out.
#![forbid(unsafe_code)]

use std::str::FromStr;

use tss_esapi::attributes::{NvIndexAttributesBuilder, ObjectAttributesBuilder, SessionAttributesBuilder};
use tss_esapi::constants::SessionType;
use tss_esapi::constants::response_code::Tss2ResponseCodeKind as Code;
use tss_esapi::handles::{KeyHandle, NvIndexHandle, NvIndexTpmHandle, TpmHandle};
use tss_esapi::interface_types::algorithm::{HashingAlgorithm, PublicAlgorithm};
use tss_esapi::interface_types::ecc::EccCurve;
use tss_esapi::interface_types::resource_handles::{Hierarchy, NvAuth, Provision};
use tss_esapi::interface_types::session_handles::AuthSession;
use tss_esapi::structures::{
    Auth, EccPoint, EccScheme, KeyDerivationFunctionScheme, KeyedHashScheme, MaxNvBuffer, NvPublicBuilder, Private,
    Public, PublicBuilder, PublicEccParametersBuilder, PublicKeyedHashParameters, SensitiveData, SymmetricDefinition,
    SymmetricDefinitionObject,
};
use tss_esapi::traits::{Marshall, UnMarshall};
use tss_esapi::{Context, Error, TctiNameConf};

/// Bytes of a place; the first two say how many of the others count.
const PLACE_BYTES: usize = 256;
/// How much one holds.
pub const PLACE_MOST: usize = PLACE_BYTES - 2;

/// A few bytes in the chip, which each wear out by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    First,
    Second,
}

impl Place {
    pub const ALL: [Self; 2] = [Self::First, Self::Second];

    /// Where it lies: among the indexes that a machine's owner hands out.
    fn index(self) -> Result<NvIndexTpmHandle, Error> {
        NvIndexTpmHandle::new(match self {
            Self::First => 0x0180_4C50,
            Self::Second => 0x0180_4C51,
        })
    }
}

/// Why the chip didn't do it. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error(
        "no TPM answers at {at} ({why}): check that it is switched on in the firmware, and that the kiosk's user may open it"
    )]
    NoTpm { at: String, why: String },
    #[error(
        "this machine's TPM didn't make these keys: it was cleared, or the disk comes from another machine. Put the disk back into its machine, or set the terminal up anew with an empty key store"
    )]
    Foreign,
    #[error("the sealed keys are damaged: set the terminal up anew with an empty key store")]
    Damaged,
    #[error(
        "the TPM is locked out after wrong authorisations: wait until it opens again, or let its owner lift the lockout"
    )]
    LockedOut,
    #[error(
        "the TPM's owner has set a password, so that no key can be made under it: clear the owner's password, or give a folder with --key-store"
    )]
    Owned,
    #[error(
        "the TPM no longer holds what was kept beside these keys: somebody removed it, or the terminal was set up anew since this disk was written"
    )]
    PlaceGone,
    #[error("the TPM refused: {0}")]
    Refused(String),
}

/// A chip by its address, as TCG's software calls it: `device:/dev/tpmrm0`.
#[derive(Debug, Clone)]
pub struct Tpm {
    at: String,
    name: TctiNameConf,
}

/// A call under way.
struct Call {
    context: Context,
    /// Under which everything of ours lies: made by the chip from its own seed, the same each time until it is cleared.
    storage: KeyHandle,
    /// Encrypts what goes over the wires between chip and processor.
    session: AuthSession,
}

impl Tpm {
    /// Looks at the address only; whether a chip is there, the first call tells.
    pub fn at(address: &str) -> Result<Self, Fault> {
        let no_address = |_| Fault::NoTpm { at: address.to_owned(), why: "this is no address of a TPM".into() };
        Ok(Self { at: address.to_owned(), name: TctiNameConf::from_str(address).map_err(no_address)? })
    }

    /// Random bytes from the chip.
    pub fn random(&self) -> Result<[u8; 32], Fault> {
        self.call(|call| {
            let bytes = call.context.get_random(32).map_err(fault)?;
            bytes.as_slice().try_into().map_err(|_| Fault::Refused("it gave too few random bytes".into()))
        })
    }

    /// Makes bytes of the secret that only this chip opens.
    pub fn seal(&self, secret: &[u8; 32]) -> Result<Vec<u8>, Fault> {
        self.call(|call| {
            let secret = SensitiveData::try_from(secret.to_vec()).map_err(fault)?;
            let (storage, public) = (call.storage, sealed_object().map_err(fault)?);
            let made = call.in_session(|context| context.create(storage, public, None, Some(secret), None, None));
            let made = made.map_err(fault)?;
            let public = made.out_public.marshall().map_err(fault)?;
            let length = u16::try_from(public.len()).map_err(|_| Fault::Damaged)?;
            Ok([length.to_be_bytes().as_slice(), &public, made.out_private.value()].concat())
        })
    }

    /// The secret again.
    pub fn unseal(&self, sealed: &[u8]) -> Result<[u8; 32], Fault> {
        let (length, rest) = sealed.split_first_chunk::<2>().ok_or(Fault::Damaged)?;
        let (public, private) =
            rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(Fault::Damaged)?;
        let public = Public::unmarshall(public).map_err(|_| Fault::Damaged)?;
        let private = Private::try_from(private).map_err(|_| Fault::Damaged)?;
        self.call(|call| {
            let storage = call.storage;
            let object = call.in_session(|context| context.load(storage, private, public)).map_err(fault)?;
            let secret = call.in_session(|context| context.unseal(object.into())).map_err(fault)?;
            secret.value().try_into().map_err(|_| Fault::Damaged)
        })
    }

    /// Makes a place, empty, for whoever knows `key`; what a former terminal kept there is gone.
    pub fn make_place(&self, place: Place, key: &[u8; 32]) -> Result<(), Fault> {
        self.remove_place(place)?;
        self.call(|call| {
            let auth = Auth::try_from(key.to_vec()).map_err(fault)?;
            let described = place_described(place).map_err(fault)?;
            call.in_session(|context| context.nv_define_space(Provision::Owner, Some(auth), described))
                .map(drop)
                .map_err(fault)
        })?;
        self.write_place(place, key, &[])
    }

    pub fn remove_place(&self, place: Place) -> Result<(), Fault> {
        self.call(|call| match call.place(place) {
            Ok(place) => call.in_session(|context| context.nv_undefine_space(Provision::Owner, place)).map_err(fault),
            Err(Fault::PlaceGone) => Ok(()),
            Err(other) => Err(other),
        })
    }

    /// What was last written there.
    pub fn read_place(&self, place: Place, key: &[u8; 32]) -> Result<Vec<u8>, Fault> {
        let bytes = self.call(|call| {
            let place = call.place_with(place, key)?;
            call.in_session(|context| context.nv_read(NvAuth::NvIndex(place), place, PLACE_BYTES as u16, 0))
                .map_err(fault_of_place)
        })?;
        let (length, rest) = bytes.value().split_first_chunk::<2>().ok_or(Fault::Damaged)?;
        Ok(rest.get(..usize::from(u16::from_be_bytes(*length))).ok_or(Fault::Damaged)?.to_vec())
    }

    /// Replaces it in one act of the chip's. Chips wear out by writing: most are made for a hundred thousand times.
    pub fn write_place(&self, place: Place, key: &[u8; 32], bytes: &[u8]) -> Result<(), Fault> {
        if bytes.len() > PLACE_MOST {
            return Err(Fault::Refused(format!("{} bytes are more than a place in it holds", bytes.len())));
        }
        let mut whole = (bytes.len() as u16).to_be_bytes().to_vec();
        whole.extend_from_slice(bytes);
        whole.resize(PLACE_BYTES, 0);
        self.call(|call| {
            let place = call.place_with(place, key)?;
            let whole = MaxNvBuffer::try_from(whole).map_err(fault)?;
            call.in_session(|context| context.nv_write(NvAuth::NvIndex(place), place, whole, 0)).map_err(fault_of_place)
        })
    }

    fn call<T>(&self, work: impl FnOnce(&mut Call) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut context = Context::new(self.name.clone())
            .map_err(|why| Fault::NoTpm { at: self.at.clone(), why: why.to_string() })?;
        let storage = storage_key(&mut context)?;
        // What was opened closes with the context, on every way out.
        let session = encrypting_session(&mut context, storage).map_err(fault)?;
        work(&mut Call { context, storage, session })
    }
}

impl Call {
    fn in_session<T>(&mut self, work: impl FnOnce(&mut Context) -> Result<T, Error>) -> Result<T, Error> {
        self.context.execute_with_session(Some(self.session), work)
    }

    fn place(&mut self, place: Place) -> Result<NvIndexHandle, Fault> {
        let index = place.index().map_err(fault)?;
        let found =
            self.context.execute_without_session(|context| context.tr_from_tpm_public(TpmHandle::NvIndex(index)));
        found.map(NvIndexHandle::from).map_err(fault_of_place)
    }

    fn place_with(&mut self, place: Place, key: &[u8; 32]) -> Result<NvIndexHandle, Fault> {
        let place = self.place(place)?;
        let auth = Auth::try_from(key.to_vec()).map_err(fault)?;
        self.context.tr_set_auth(place.into(), auth).map_err(fault)?;
        Ok(place)
    }
}

fn storage_key(context: &mut Context) -> Result<KeyHandle, Fault> {
    let public = storage_object().map_err(fault)?;
    let made = context.execute_with_nullauth_session(|context| {
        context.create_primary(Hierarchy::Owner, public, None, None, None, None)
    });
    Ok(made.map_err(fault)?.key_handle)
}

fn encrypting_session(context: &mut Context, storage: KeyHandle) -> Result<AuthSession, Error> {
    let aes = SymmetricDefinition::AES_128_CFB;
    let hash = HashingAlgorithm::Sha256;
    let session = context.execute_without_session(|context| {
        context.start_auth_session(Some(storage), None, None, SessionType::Hmac, aes, hash)
    })?;
    let session = session.ok_or(Error::WrapperError(tss_esapi::WrapperErrorKind::WrongValueFromTpm))?;
    let (attributes, mask) = SessionAttributesBuilder::new().with_decrypt(true).with_encrypt(true).build();
    context.tr_sess_set_attributes(session, attributes, mask)?;
    Ok(session)
}

/// The template that most software of TPMs agrees on for a storage key on P-256.
fn storage_object() -> Result<Public, Error> {
    let attributes = ObjectAttributesBuilder::new()
        .with_fixed_tpm(true)
        .with_fixed_parent(true)
        .with_sensitive_data_origin(true)
        .with_user_with_auth(true)
        .with_no_da(true)
        .with_restricted(true)
        .with_decrypt(true)
        .build()?;
    let curve = PublicEccParametersBuilder::new()
        .with_symmetric(SymmetricDefinitionObject::AES_128_CFB)
        .with_ecc_scheme(EccScheme::Null)
        .with_curve(EccCurve::NistP256)
        .with_key_derivation_function_scheme(KeyDerivationFunctionScheme::Null)
        .with_is_signing_key(false)
        .with_is_decryption_key(true)
        .with_restricted(true)
        .build()?;
    PublicBuilder::new()
        .with_public_algorithm(PublicAlgorithm::Ecc)
        .with_name_hashing_algorithm(HashingAlgorithm::Sha256)
        .with_object_attributes(attributes)
        .with_ecc_parameters(curve)
        .with_ecc_unique_identifier(EccPoint::default())
        .build()
}

/// Bytes the chip keeps for us and never lets leave it for another chip.
fn sealed_object() -> Result<Public, Error> {
    let attributes = ObjectAttributesBuilder::new()
        .with_fixed_tpm(true)
        .with_fixed_parent(true)
        .with_user_with_auth(true)
        .with_no_da(true)
        .build()?;
    PublicBuilder::new()
        .with_public_algorithm(PublicAlgorithm::KeyedHash)
        .with_name_hashing_algorithm(HashingAlgorithm::Sha256)
        .with_object_attributes(attributes)
        .with_keyed_hash_parameters(PublicKeyedHashParameters::new(KeyedHashScheme::Null))
        .with_keyed_hash_unique_identifier(Default::default())
        .build()
}

fn place_described(place: Place) -> Result<tss_esapi::structures::NvPublic, Error> {
    let attributes =
        NvIndexAttributesBuilder::new().with_auth_read(true).with_auth_write(true).with_no_da(true).build()?;
    NvPublicBuilder::new()
        .with_nv_index(place.index()?)
        .with_index_name_algorithm(HashingAlgorithm::Sha256)
        .with_index_attributes(attributes)
        .with_data_area_size(PLACE_BYTES)
        .build()
}

fn code(error: Error) -> Option<Code> {
    match error {
        Error::Tss2Error(code) => code.kind(),
        Error::WrapperError(_) => None,
    }
}

fn fault(error: Error) -> Fault {
    match code(error) {
        Some(Code::Integrity) => Fault::Foreign,
        Some(Code::Lockout) => Fault::LockedOut,
        Some(Code::BadAuth | Code::AuthFail) => Fault::Owned,
        _ => Fault::Refused(error.to_string()),
    }
}

/// As [`fault`], where the authorisation is the place's own.
fn fault_of_place(error: Error) -> Fault {
    match code(error) {
        Some(Code::Handle | Code::BadAuth | Code::AuthFail | Code::NvUninitialized | Code::NvAuthorization) => {
            Fault::PlaceGone
        }
        _ => fault(error),
    }
}
