using Post.Sockets.Protocol;

namespace Post.Sockets.Objects;

/// <summary>
/// Which receipt was given for each object: what a lost connection may have swallowed is given again, always with the same status. A sender
/// never goes more than <see cref="ProtocolLimits.IdWindow"/> above its lowest id without an end, so what lies further below the
/// highest id that was seen has ended there, and is forgotten. A page costs four bits an id; one whose ids all have the same status,
/// as nearly all do, costs nothing more.
/// </summary>
internal sealed class ReceiptLedger
{
    private const int PageBits = 12;
    private const int PageSize = 1 << PageBits;
    private const byte None = 0;

    private readonly Dictionary<long, Page> _pages = [];
    private long _lowestPage;

    /// <summary>Pages that are kept in full; for tests of what it costs.</summary>
    public int FullPages => _pages.Values.Count(static page => page.Codes is not null);

    /// <summary>Notes the receipt of an object.</summary>
    public void Record(long id, ReceiptStatus status)
    {
        var number = id >> PageBits;
        if (number < _lowestPage)
        {
            return;
        }

        if (!_pages.TryGetValue(number, out var page))
        {
            _pages.Add(number, page = new Page());
        }

        page.Set((int)(id & (PageSize - 1)), (byte)(status + 1));
    }

    /// <summary>The receipt that was given for an object; null for none, or none that is still known.</summary>
    public ReceiptStatus? Find(long id)
    {
        if (!_pages.TryGetValue(id >> PageBits, out var page))
        {
            return null;
        }

        var code = page.Get((int)(id & (PageSize - 1)));
        return code == None ? null : (ReceiptStatus)(code - 1);
    }

    /// <summary>An id was seen: what lies too far below it is forgotten.</summary>
    public void OnSeen(long highest)
    {
        var lowest = Math.Max(0, highest - ProtocolLimits.IdWindow) >> PageBits;
        if (lowest <= _lowestPage)
        {
            return;
        }

        if (lowest - _lowestPage <= _pages.Count)
        {
            for (; _lowestPage < lowest; _lowestPage++)
            {
                _pages.Remove(_lowestPage);
            }

            return;
        }

        // A peer may leap ahead by millions: what there is, is less.
        foreach (var number in _pages.Keys.Where(number => number < lowest).ToArray())
        {
            _pages.Remove(number);
        }

        _lowestPage = lowest;
    }

    /// <summary>All receipts from an id on, as ranges of equal status.</summary>
    public IEnumerable<(ReceiptStatus Status, IdRange Ids)> From(long lowest)
    {
        foreach (var number in _pages.Keys.Order().SkipWhile(number => number < lowest >> PageBits))
        {
            var page = _pages[number];
            var first = number << PageBits;
            var from = (int)Math.Max(0, lowest - first);
            while (from < PageSize)
            {
                var code = page.Get(from);
                var to = page.Codes is null ? PageSize : from + 1;
                while (to < PageSize && page.Get(to) == code)
                {
                    to++;
                }

                if (code != None)
                {
                    yield return ((ReceiptStatus)(code - 1), new IdRange(first + from, first + to - 1));
                }

                from = to;
            }
        }
    }

    private sealed class Page
    {
        private byte _only;
        private int _set;
        private bool _isMixed;

        /// <summary>Two ids a byte; null when all have the same status.</summary>
        public byte[]? Codes { get; private set; } = new byte[PageSize / 2];

        public byte Get(int index) => Codes is null ? _only : (byte)((Codes[index >> 1] >> ((index & 1) * 4)) & 15);

        public void Set(int index, byte code)
        {
            if (Codes is null)
            {
                if (code == _only)
                {
                    return;
                }

                Codes = new byte[PageSize / 2];
                Array.Fill(Codes, (byte)(_only | (_only << 4)));
            }

            var shift = (index & 1) * 4;
            _set += Get(index) == None ? 1 : 0;
            Codes[index >> 1] = (byte)((Codes[index >> 1] & ~(15 << shift)) | (code << shift));
            _isMixed |= _only != None && _only != code;
            _only = code;
            if (_set == PageSize && !_isMixed)
            {
                Codes = null;
            }
        }
    }
}
