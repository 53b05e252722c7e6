// Takes COUNT frames of a stream and publishes the mean of each as a message that refers to it: raii NAME RESULTS COUNT
// c++ -std=c++17 raii.cpp -o raii -pthread
#include <iostream>
#include <numeric>

#include "streamem.hpp"

int main(int count, char **words) {
  if (count != 4) {
    std::cerr << "usage: raii NAME RESULTS COUNT\n";
    return 2;
  }
  try {
    streamem::Reader reader(words[1], std::chrono::seconds(5));
    auto writer = streamem::Writer::messages(words[2]);
    for (int left = std::stoi(words[3]); left > 0; left--) {
      auto frame = reader.next();
      auto bytes = frame ? frame->copy() : std::nullopt;
      if (!bytes || bytes->empty()) continue; // overwritten before it was copied: the next one is newer
      double mean = std::accumulate(bytes->begin(), bytes->end(), 0.0) / static_cast<double>(bytes->size());
      writer.publish("{\"mean\": " + std::to_string(mean) + "}", &*frame);
      std::cout << "frame " << (*frame)->sequence << " mean " << mean << std::endl;
    }
  } catch (const streamem::Error &error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
