//! Prints the offsets that the crate uses as JSON, to be held against native/layout.json.

fn object(fields: &[(&str, usize)]) -> String {
    let members: Vec<String> = fields.iter().map(|(name, offset)| format!("\"{}\": {}", name, offset)).collect();
    format!("{{{}}}", members.join(", "))
}

fn main() {
    let (segment, slot) = streamem::offsets();
    println!("{{\"segmentHeader\": {}, \"slotHeader\": {}}}", object(&segment), object(&slot));
}
