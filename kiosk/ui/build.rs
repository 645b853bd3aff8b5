//! Compiles the screens: fonts embedded as files (the renderer draws them at any scale), translations bundled,
//! so that the binary needs nothing beside it.

use slint_build::{CompilerConfiguration, DefaultTranslationContext, EmbedResourcesKind};

fn main() {
    let configuration = CompilerConfiguration::new()
        .embed_resources(EmbedResourcesKind::EmbedFiles)
        .with_bundled_translations("lang")
        .with_default_translation_context(DefaultTranslationContext::None)
        // Element queries by accessible id, which the tests and the play script use, need it.
        .with_debug_info(true);
    if slint_build::compile_with_config("ui/app.slint", configuration).is_err() {
        // The compiler has printed what is wrong and where.
        std::process::exit(1);
    }
}
