namespace Post.Quic.Engine.Congestion;

/// <summary>
/// HyStart++ (RFC 9406): leaves slow start when the round trip grows, before the queue overflows. First it slows
/// down (Conservative Slow Start), and takes that back if the growth was noise.
/// </summary>
internal sealed class HyStart
{
    // RFC 9406 section 4.3.
    private const long MinRttThreshold = 4_000;
    private const long MaxRttThreshold = 16_000;
    private const int MinRttDivisor = 8;
    private const int RttSamples = 8;
    private const int ConservativeGrowthDivisor = 4;
    private const int ConservativeRounds = 5;

    private long _roundStart = long.MinValue;
    private long _lastRoundMinRtt = long.MaxValue;
    private long _currentRoundMinRtt = long.MaxValue;
    private long _baselineMinRtt = long.MaxValue;
    private int _samples;
    private int _conservativeRoundsLeft;

    /// <summary>In Conservative Slow Start.</summary>
    public bool IsConservative => _baselineMinRtt != long.MaxValue;

    /// <summary>Slow start begins again: after persistent congestion, nothing measured before counts.</summary>
    public void Reset()
    {
        _roundStart = long.MinValue;
        _lastRoundMinRtt = _currentRoundMinRtt = _baselineMinRtt = long.MaxValue;
        _samples = 0;
    }

    /// <summary>
    /// Takes an ACK in slow start; returns by how many bytes the window grows. RFC 9406 section 4.2 asks for no bound
    /// on the growth of one ACK (L) where packets are paced, as they are here.
    /// </summary>
    public long OnAcked(in AckSample sample, out bool leaveSlowStart)
    {
        leaveSlowStart = false;

        // A round ends with the first acknowledgement of something sent after it began. Time stands in for packet
        // numbers, since the handshake's spaces share the path.
        if (sample.NewestSentTime > _roundStart)
        {
            _roundStart = sample.Now;
            _lastRoundMinRtt = _currentRoundMinRtt;
            _currentRoundMinRtt = long.MaxValue;
            _samples = 0;
            if (IsConservative && --_conservativeRoundsLeft == 0)
            {
                leaveSlowStart = true;
            }
        }

        if (sample.RttSample != 0)
        {
            _currentRoundMinRtt = Math.Min(_currentRoundMinRtt, sample.RttSample);
            _samples++;
        }

        if (_samples >= RttSamples)
        {
            Judge();
        }

        return IsConservative ? sample.GrowthBytes / ConservativeGrowthDivisor : sample.GrowthBytes;
    }

    private void Judge()
    {
        if (IsConservative)
        {
            if (_currentRoundMinRtt < _baselineMinRtt)
            {
                _baselineMinRtt = long.MaxValue;
            }

            return;
        }

        if (_currentRoundMinRtt == long.MaxValue || _lastRoundMinRtt == long.MaxValue)
        {
            return;
        }

        long threshold = Math.Clamp(_lastRoundMinRtt / MinRttDivisor, MinRttThreshold, MaxRttThreshold);
        if (_currentRoundMinRtt >= _lastRoundMinRtt + threshold)
        {
            _baselineMinRtt = _currentRoundMinRtt;
            _conservativeRoundsLeft = ConservativeRounds;
        }
    }
}
