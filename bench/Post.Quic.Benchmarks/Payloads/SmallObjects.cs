using System.Buffers.Binary;

namespace Post.Quic.Benchmarks.Payloads;

/// <summary>Small objects, made before anything is measured: each begins with its number, and the pattern follows.</summary>
internal sealed class SmallObjects
{
    private const int NumberLength = sizeof(int);

    private readonly byte[][] _objects;

    /// <summary>Makes them.</summary>
    /// <param name="count">How many different ones; object i of a run is number i modulo this.</param>
    /// <param name="size">The bytes of each, at least four.</param>
    public SmallObjects(int count, int size)
    {
        Size = size;
        _objects = new byte[count][];
        for (int i = 0; i < count; i++)
        {
            _objects[i] = new byte[size];
            BinaryPrimitives.WriteInt32LittleEndian(_objects[i], i);
            Pattern.At(i, size - NumberLength).Span.CopyTo(_objects[i].AsSpan(NumberLength));
        }
    }

    public int Size { get; }

    public int Count => _objects.Length;

    /// <summary>The object to send as the i-th.</summary>
    public ReadOnlyMemory<byte> this[int i] => _objects[i % _objects.Length];

    /// <summary>The number of an object that came.</summary>
    /// <exception cref="WrongBytesException">It is none of these.</exception>
    public int NumberOf(ReadOnlySpan<byte> bytes)
    {
        int number = bytes.Length == Size ? BinaryPrimitives.ReadInt32LittleEndian(bytes) : -1;
        return number >= 0 && number < _objects.Length && bytes.SequenceEqual(_objects[number])
            ? number
            : throw new WrongBytesException($"An object of {bytes.Length} bytes came that is none of those sent.");
    }
}
