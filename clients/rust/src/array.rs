//! A payload as an array of numbers.

use std::marker::PhantomData;

use crate::dtype::items_of;
use crate::error::{Error, Result};
use crate::frame::{Frame, View};

/// A type that an array may have: `u8` to `u64`, `i8` to `i64`, `f32`, `f64`.
pub trait Item: Copy + private::FromView {
    /// As a typestr names it: `u`, `i`, `f`.
    const KIND: char;
}

mod private {
    use crate::frame::View;

    /// In a module of its own, so that nobody else can implement [`super::Item`].
    pub trait FromView {
        fn from_view(view: &View<'_>, offset: usize) -> Option<Self>
        where
            Self: Sized;
    }
}

macro_rules! items {
    ($($kind:literal: $($type:ident)*;)*) => {$($(
        impl Item for $type {
            const KIND: char = $kind;
        }
        impl private::FromView for $type {
            fn from_view(view: &View<'_>, offset: usize) -> Option<Self> {
                view.load(offset).map($type::from_le_bytes)
            }
        }
    )*)*};
}

items! { 'u': u8 u16 u32 u64; 'i': i8 i16 i32 i64; 'f': f32 f64; }

/// A frame's payload as an array, where it lies. What was read counts only if [`Frame::valid`] says so afterwards.
pub struct Array<'frame, T> {
    view: View<'frame>,
    shape: Vec<u32>,
    strides: Vec<i64>,
    item: PhantomData<T>,
}

impl<'frame, T: Item> Array<'frame, T> {
    pub(crate) fn new(frame: &'frame Frame) -> Result<Array<'frame, T>> {
        let descriptor = &frame.ring.descriptor;
        let refuse = |words: String| Err(Error::new(libc::EINVAL, format!("stream {}: {}", frame.stream(), words)));
        let bytes = std::mem::size_of::<T>() as u64;
        match descriptor.dtype() {
            Some(dtype) if dtype.kind == T::KIND && dtype.bytes == bytes && (dtype.order != '>' || bytes == 1) => {}
            _ => {
                return refuse(format!(
                    "its dtype is {:?}, not {}{} in little-endian order; copy() gives the bytes",
                    descriptor.get("dtype"),
                    T::KIND,
                    bytes
                ))
            }
        }
        let stated = (frame.dimensions() == 0).then(|| descriptor.strides()).flatten();
        let shape = frame.shape().to_vec();
        let strides = stated.map_or_else(|| c_order(&shape, bytes), |strides| strides.to_vec());
        let array = Array { view: frame.data(), shape, strides, item: PhantomData };
        match array.is_within() {
            true => Ok(array),
            false => {
                refuse(format!("frame {} has {} bytes, too few for its shape {:?}", frame.sequence(), frame.data().len(), array.shape))
            }
        }
    }

    /// Whether the first and the last byte that any index can reach lie in the payload.
    fn is_within(&self) -> bool {
        if self.shape.contains(&0) {
            return true;
        }
        let reaches = self.shape.iter().zip(&self.strides).map(|(entries, stride)| (*entries as i128 - 1) * *stride as i128);
        let (down, up): (Vec<i128>, Vec<i128>) = reaches.partition(|reach| *reach < 0);
        let end = up.iter().sum::<i128>() + std::mem::size_of::<T>() as i128;
        down.is_empty() && end <= self.view.len() as i128
    }

    pub fn shape(&self) -> &[u32] {
        &self.shape
    }

    /// The item at an index, one number for each dimension; None outside of the shape.
    pub fn get(&self, index: &[usize]) -> Option<T> {
        if index.len() != self.shape.len() || index.iter().zip(&self.shape).any(|(i, entries)| *i >= *entries as usize) {
            return None;
        }
        let offset: i64 = index.iter().zip(&self.strides).map(|(i, stride)| *i as i64 * stride).sum();
        T::from_view(&self.view, offset as usize)
    }

    /// All items in C order.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        let items = items_of(&self.shape).unwrap_or(u64::MAX);
        let mut index = vec![0; self.shape.len()];
        (0..items).filter_map(move |_| {
            let item = self.get(&index);
            for (i, entries) in index.iter_mut().zip(&self.shape).rev() {
                *i += 1;
                if *i < *entries as usize {
                    break;
                }
                *i = 0;
            }
            item
        })
    }
}

/// Bytes from one entry to the next in each dimension of an array without gaps.
fn c_order(shape: &[u32], item_bytes: u64) -> Vec<i64> {
    let mut strides = vec![item_bytes as i64; shape.len()];
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i].saturating_mul(shape[i] as i64);
    }
    strides
}
