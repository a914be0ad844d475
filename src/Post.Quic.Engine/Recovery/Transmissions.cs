namespace Post.Quic.Engine.Recovery;

/// <summary>What is known of the networks of a path, by the index that sent packets bear, and which is in use.</summary>
internal sealed class Transmissions
{
    private Transmission?[] _transmissions = new Transmission?[1];

    /// <summary>Of the network that new data is sent over; it also stands in for one that is gone.</summary>
    public Transmission Active { get; private set; } = null!;

    /// <summary>The lowest index that no network has.</summary>
    public byte FreeIndex
    {
        get
        {
            int index = 0;
            while (index < _transmissions.Length && _transmissions[index] is not null)
            {
                index++;
            }

            return checked((byte)index);
        }
    }

    public void Add(Transmission transmission)
    {
        if (transmission.Index >= _transmissions.Length)
        {
            Array.Resize(ref _transmissions, transmission.Index + 1);
        }

        if (_transmissions[transmission.Index] is not null)
        {
            throw new InvalidOperationException("The index belongs to another network.");
        }

        _transmissions[transmission.Index] = transmission;
        Active ??= transmission;
    }

    public void Activate(Transmission transmission) => Active = transmission;

    public void Remove(Transmission transmission)
    {
        if (transmission == Active)
        {
            throw new InvalidOperationException("The active network cannot be removed.");
        }

        _transmissions[transmission.Index] = null;
    }

    /// <summary>Of the network the packet was sent over; null if that is gone.</summary>
    public Transmission? Find(in SentPacket packet) => packet.IsOrphaned ? null : _transmissions[packet.NetworkIndex];

    public Transmission? Find(byte index) => index < _transmissions.Length ? _transmissions[index] : null;

    public Transmission FindOrActive(in SentPacket packet) => Find(packet) ?? Active;

    public Enumerator GetEnumerator() => new(_transmissions);

    public struct Enumerator
    {
        private readonly Transmission?[] _transmissions;
        private int _index;

        internal Enumerator(Transmission?[] paths)
        {
            _transmissions = paths;
            _index = -1;
        }

        public readonly Transmission Current => _transmissions[_index]!;

        public bool MoveNext()
        {
            while (++_index < _transmissions.Length)
            {
                if (_transmissions[_index] is not null)
                {
                    return true;
                }
            }

            return false;
        }
    }
}
