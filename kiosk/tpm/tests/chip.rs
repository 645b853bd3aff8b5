//! Against a real TPM program: what opens, what doesn't, and what is said then.

use kiosk_tpm::{Fault, PLACE_MOST, Place, Tpm};
use tempfile::tempdir;

#[path = "../../../tests/harness/swtpm.rs"]
mod swtpm;
use swtpm::SoftTpm;

const SECRET: [u8; 32] = [7; 32];
const KEY: [u8; 32] = [9; 32];
const HERE: Place = Place::First;

#[test]
fn s9_what_one_chip_sealed_it_opens_after_a_restart_and_no_other_chip_does() {
    let (machine, other) = (tempdir().unwrap(), tempdir().unwrap());
    let chip = SoftTpm::start(machine.path());
    let sealed = Tpm::at(&chip.address).unwrap().seal(&SECRET).unwrap();
    assert!(!sealed.windows(32).any(|bytes| bytes == SECRET));
    assert_eq!(Tpm::at(&chip.address).unwrap().unseal(&sealed), Ok(SECRET));
    drop(chip);

    let chip = SoftTpm::start(machine.path());
    assert_eq!(Tpm::at(&chip.address).unwrap().unseal(&sealed), Ok(SECRET), "switched off and on");
    let other = SoftTpm::start(other.path());
    assert_eq!(Tpm::at(&other.address).unwrap().unseal(&sealed), Err(Fault::Foreign));
}

#[test]
fn s9_damaged_bytes_open_nowhere() {
    let machine = tempdir().unwrap();
    let chip = SoftTpm::start(machine.path());
    let tpm = Tpm::at(&chip.address).unwrap();
    let sealed = tpm.seal(&SECRET).unwrap();
    assert_eq!(tpm.unseal(&[]), Err(Fault::Damaged));
    assert_eq!(tpm.unseal(&sealed[..40]), Err(Fault::Damaged));
    for place in [5, sealed.len() / 2, sealed.len() - 1] {
        let mut altered = sealed.clone();
        altered[place] ^= 1;
        assert!(tpm.unseal(&altered).is_err(), "a bit at {place}");
    }
    assert_eq!(tpm.unseal(&sealed), Ok(SECRET), "the chip is as before");
}

#[test]
fn u11_the_place_keeps_what_was_written_last_for_whoever_has_its_key() {
    let machine = tempdir().unwrap();
    let chip = SoftTpm::start(machine.path());
    let tpm = Tpm::at(&chip.address).unwrap();
    assert_eq!(tpm.read_place(HERE, &KEY), Err(Fault::PlaceGone));
    tpm.make_place(HERE, &KEY).unwrap();
    assert_eq!(tpm.read_place(HERE, &KEY), Ok(Vec::new()));
    tpm.write_place(HERE, &KEY, &[3; PLACE_MOST]).unwrap();
    tpm.write_place(HERE, &KEY, b"heads").unwrap();
    assert!(matches!(tpm.write_place(HERE, &KEY, &[3; PLACE_MOST + 1]), Err(Fault::Refused(_))));
    drop(chip);

    let chip = SoftTpm::start(machine.path());
    let tpm = Tpm::at(&chip.address).unwrap();
    assert_eq!(tpm.read_place(HERE, &KEY), Ok(b"heads".to_vec()), "switched off and on");
    for _ in 0..40 {
        assert_eq!(tpm.read_place(HERE, &[1; 32]), Err(Fault::PlaceGone));
    }
    assert_eq!(tpm.read_place(HERE, &KEY), Ok(b"heads".to_vec()), "wrong tries lock nobody out");
    tpm.make_place(Place::Second, &KEY).unwrap();
    tpm.write_place(Place::Second, &KEY, b"tries").unwrap();
    assert_eq!(tpm.read_place(HERE, &KEY), Ok(b"heads".to_vec()), "the other place is another");
    assert_eq!(tpm.read_place(Place::Second, &KEY), Ok(b"tries".to_vec()));
    tpm.make_place(HERE, &[1; 32]).unwrap();
    assert_eq!(tpm.read_place(HERE, &KEY), Err(Fault::PlaceGone), "it is another terminal's");
    tpm.remove_place(HERE).unwrap();
    assert_eq!(tpm.read_place(HERE, &[1; 32]), Err(Fault::PlaceGone));
    tpm.remove_place(HERE).unwrap();
}

#[test]
fn s9_a_cleared_chip_an_owned_one_and_none_are_told_apart() {
    let machine = tempdir().unwrap();
    let chip = SoftTpm::start(machine.path());
    let tpm = Tpm::at(&chip.address).unwrap();
    let sealed = tpm.seal(&SECRET).unwrap();
    tpm.make_place(HERE, &KEY).unwrap();
    as_its_owner(&chip.address, "clear");
    assert_eq!(tpm.unseal(&sealed), Err(Fault::Foreign));
    assert_eq!(tpm.read_place(HERE, &KEY), Err(Fault::PlaceGone));
    as_its_owner(&chip.address, "password");
    assert_eq!(tpm.seal(&SECRET), Err(Fault::Owned));
    drop(chip);
    assert!(matches!(tpm.seal(&SECRET), Err(Fault::NoTpm { .. })));
    assert!(matches!(Tpm::at("tpm0"), Err(Fault::NoTpm { .. })));
    let nowhere = Tpm::at("device:/nonexistent/tpm").unwrap().unseal(&sealed).unwrap_err().to_string();
    assert!(nowhere.contains("/nonexistent/tpm") && nowhere.contains("firmware"), "{nowhere}");
}

#[test]
fn s9_a_chip_that_others_locked_still_opens_ours() {
    let machine = tempdir().unwrap();
    let chip = SoftTpm::start(machine.path());
    let tpm = Tpm::at(&chip.address).unwrap();
    let sealed = tpm.seal(&SECRET).unwrap();
    tpm.make_place(HERE, &KEY).unwrap();
    as_its_owner(&chip.address, "lock");
    assert_eq!(tpm.unseal(&sealed), Ok(SECRET));
    assert_eq!(tpm.read_place(HERE, &KEY), Ok(Vec::new()));
}

/// What the owner of a machine, or another program on it, does to its chip.
fn as_its_owner(address: &str, what: &str) {
    use std::str::FromStr;
    use tss_esapi::attributes::NvIndexAttributesBuilder;
    use tss_esapi::handles::{AuthHandle, NvIndexTpmHandle};
    use tss_esapi::interface_types::algorithm::HashingAlgorithm;
    use tss_esapi::interface_types::resource_handles::{NvAuth, Provision};
    use tss_esapi::structures::{Auth, MaxNvBuffer, NvPublicBuilder};
    let mut context = tss_esapi::Context::new(tss_esapi::TctiNameConf::from_str(address).unwrap()).unwrap();
    context
        .execute_with_nullauth_session(|context| match what {
            "clear" => context.clear(AuthHandle::Lockout),
            "password" => context.hierarchy_change_auth(AuthHandle::Owner, Auth::try_from(b"owner".to_vec())?),
            _ => {
                // An index that counts wrong tries, and one who tries.
                let attributes = NvIndexAttributesBuilder::new().with_auth_read(true).with_auth_write(true).build()?;
                let described = NvPublicBuilder::new()
                    .with_nv_index(NvIndexTpmHandle::new(0x0180_0001)?)
                    .with_index_name_algorithm(HashingAlgorithm::Sha256)
                    .with_index_attributes(attributes)
                    .with_data_area_size(8)
                    .build()?;
                let right = Auth::try_from(b"right".to_vec())?;
                let index = context.nv_define_space(Provision::Owner, Some(right.clone()), described)?;
                context.tr_set_auth(index.into(), Auth::try_from(b"wrong".to_vec())?)?;
                let write = |context: &mut tss_esapi::Context| {
                    context.nv_write(NvAuth::NvIndex(index), index, MaxNvBuffer::try_from(vec![1; 8])?, 0)
                };
                while !write(context).unwrap_err().to_string().contains("lockout") {}
                context.tr_set_auth(index.into(), right)?;
                assert!(write(context).is_err(), "it is locked");
                Ok(())
            }
        })
        .unwrap();
}
