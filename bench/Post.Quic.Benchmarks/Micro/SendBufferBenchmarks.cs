using BenchmarkDotNet.Attributes;
using Post.Quic.Engine.Streams;

namespace Post.Quic.Benchmarks.Micro;

/// <summary>A small stream's bytes from the write to their acknowledgement.</summary>
[MemoryDiagnoser]
public class SendBufferBenchmarks
{
    private readonly SendBuffer _buffer = new(new BlockPool());
    private readonly byte[] _bytes = new byte[1024];
    private readonly byte[] _packet = new byte[1024];

    [Benchmark]
    public void WriteSendAcknowledge()
    {
        _ = _buffer.AppendCopy(_bytes);
        _buffer.Finish();
        _ = _buffer.TryGetNext(ulong.MaxValue, out OffsetRange range);
        _buffer.CopyTo(range.Start, _packet);
        _buffer.OnSent(range.Start, _packet.Length, fin: true);
        _buffer.OnAcked(range.Start, (uint)_packet.Length, fin: true);
        _buffer.Clear();
    }
}
