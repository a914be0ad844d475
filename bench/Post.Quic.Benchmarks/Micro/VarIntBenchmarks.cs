using BenchmarkDotNet.Attributes;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Benchmarks.Micro;

/// <summary>Writing and reading one variable-length integer.</summary>
public class VarIntBenchmarks
{
    private readonly byte[] _bytes = new byte[VarInt.MaxLength];

    /// <summary>What is written: one, two, four and eight bytes long.</summary>
    [Params(37UL, 15293UL, 494878333UL, 151288809941952652UL)]
    public ulong Value { get; set; }

    [Benchmark]
    public ulong WriteAndRead()
    {
        _ = VarInt.Write(_bytes, Value);
        _ = VarInt.TryRead(_bytes, out ulong value, out _);
        return value;
    }
}
