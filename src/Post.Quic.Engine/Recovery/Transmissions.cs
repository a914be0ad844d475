namespace Post.Quic.Engine.Recovery;

/// <summary>The paths of a connection by the index that sent packets bear, and the one in use.</summary>
internal sealed class Transmissions
{
    private Transmission?[] _paths = new Transmission?[1];

    /// <summary>The path that new data is sent on; it also stands in for a path that is gone.</summary>
    public Transmission Active { get; private set; } = null!;

    /// <summary>The lowest index that no path has.</summary>
    public byte FreeIndex
    {
        get
        {
            int index = 0;
            while (index < _paths.Length && _paths[index] is not null)
            {
                index++;
            }

            return checked((byte)index);
        }
    }

    public void Add(Transmission path)
    {
        if (path.Index >= _paths.Length)
        {
            Array.Resize(ref _paths, path.Index + 1);
        }

        if (_paths[path.Index] is not null)
        {
            throw new InvalidOperationException("The index belongs to another path.");
        }

        _paths[path.Index] = path;
        Active ??= path;
    }

    public void Activate(Transmission path) => Active = path;

    public void Remove(Transmission path)
    {
        if (path == Active)
        {
            throw new InvalidOperationException("The active path cannot be removed.");
        }

        _paths[path.Index] = null;
    }

    /// <summary>The path the packet was sent on; null if that is gone.</summary>
    public Transmission? Find(in SentPacket packet) => packet.IsOrphaned ? null : _paths[packet.PathIndex];

    public Transmission? Find(byte index) => index < _paths.Length ? _paths[index] : null;

    public Transmission FindOrActive(in SentPacket packet) => Find(packet) ?? Active;

    public Enumerator GetEnumerator() => new(_paths);

    public struct Enumerator
    {
        private readonly Transmission?[] _paths;
        private int _index;

        internal Enumerator(Transmission?[] paths)
        {
            _paths = paths;
            _index = -1;
        }

        public readonly Transmission Current => _paths[_index]!;

        public bool MoveNext()
        {
            while (++_index < _paths.Length)
            {
                if (_paths[_index] is not null)
                {
                    return true;
                }
            }

            return false;
        }
    }
}
