// What hydrogen-web's own `main.js` does, with the parts that its library exports.
import { createNavigation, createRouter, FeatureSet, Platform, RootViewModel } from "hydrogen-view-sdk";

const platform = new Platform({
    container: document.body,
    assetPaths: {
        downloadSandbox: "assets/download-sandbox.html",
        worker: "assets/main.js",
        serviceWorker: "sw.js",
        olm: { wasm: "olm/olm.wasm", legacyBundle: "olm/olm_legacy.js", wasmBundle: "olm/olm.js" },
    },
    config: { defaultHomeServer: location.origin },
});
await platform.init();
const navigation = createNavigation();
platform.setNavigation(navigation);
const router = createRouter({ navigation, history: platform.history });
router.attach();
const features = await FeatureSet.load(platform.settingsStorage);
const model = new RootViewModel({ platform, urlRouter: router, navigation, features });
await model.load();
platform.createAndMountRootView(model);
