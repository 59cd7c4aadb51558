use aznas_models::onnx::{Cut, Model};
fn main() {
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path).unwrap();
        match Model::read(&bytes, &path, None, &Cut::Automatic) {
            Ok(model) => {
                let [_, h, w] = model.graph.input;
                match aznas::graph::Cost::of(&model.graph, h, w) {
                    Ok(cost) => println!("{path}: {} blocks, {} params, {} macs", model.graph.blocks.len(), cost.parameters, cost.macs),
                    Err(error) => println!("{path}: {error}"),
                }
                if std::env::var("V").is_ok() { for (f, b) in model.features.iter().zip(&model.graph.blocks) { println!("  {f}: {}", b.len()); } println!("  head {:?}", model.graph.head.iter().map(|n| &n.op).collect::<Vec<_>>()); }
            }
            Err(error) => println!("{path}: {error}"),
        }
    }
}
