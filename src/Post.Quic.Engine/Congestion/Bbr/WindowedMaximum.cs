namespace Post.Quic.Engine.Congestion.Bbr;

/// <summary>
/// The largest value of a window of time, with the two that will be the largest when that one has gone (Kathleen Nichols' filter, to
/// which draft-ietf-ccwg-bbr section 5.5.5 refers).
/// </summary>
internal struct WindowedMaximum
{
    private Entry _first;
    private Entry _second;
    private Entry _third;

    public readonly long Value => _first.Value;

    public void Add(long value, long time, long length)
    {
        var entry = new Entry(value, time);
        if (value >= _first.Value || time - _third.Time > length)
        {
            _first = _second = _third = entry;
            return;
        }

        if (value >= _second.Value)
        {
            _second = _third = entry;
        }
        else if (value >= _third.Value)
        {
            _third = entry;
        }

        if (time - _first.Time > length)
        {
            Shift(entry);
            if (time - _first.Time > length)
            {
                Shift(entry);
            }
        }
        else if (_second.Time == _first.Time && time - _first.Time > length / 4)
        {
            // A quarter of the window without a better one: the next best comes from the rest.
            _second = _third = entry;
        }
        else if (_third.Time == _second.Time && time - _first.Time > length / 2)
        {
            _third = entry;
        }
    }

    private void Shift(Entry entry) => (_first, _second, _third) = (_second, _third, entry);

    private readonly record struct Entry(long Value, long Time);
}
