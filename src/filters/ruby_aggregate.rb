# The filter aggregate: a Hash per task, which code fills and timeouts turn into events. Its state is
# touched on Ruby's thread only, so it needs no locks.

module LogStash
  module Filters
    class Aggregate < Base
      DEFAULT_TIMEOUT = 1800

      # One task: what code has as `map` (map) and `map_meta` (the rest).
      class Element
        attr_accessor :creation_timestamp, :lastevent_timestamp,
                      :difference_from_creation_to_now, :difference_from_lastevent_to_now,
                      :timeout, :inactivity_timeout, :task_id, :map

        def initialize(creation_timestamp, task_id)
          @creation_timestamp = creation_timestamp
          @lastevent_timestamp = creation_timestamp
          @difference_from_creation_to_now = (Time.now - creation_timestamp).to_i
          @difference_from_lastevent_to_now = @difference_from_creation_to_now
          @task_id = task_id
          @map = {}
        end

        def expired?(now, timeout, inactivity_timeout)
          creation_timestamp < now - (self.timeout || timeout) ||
            lastevent_timestamp < now - (self.inactivity_timeout || inactivity_timeout)
        end

        # The same by the clock, when events carry times of their own.
        def expired_now?(timeout, inactivity_timeout)
          now = Time.now
          creation_timestamp + (difference_from_creation_to_now || 0) <
            now - (self.timeout || timeout) ||
            lastevent_timestamp + (difference_from_lastevent_to_now || 0) <
              now - (self.inactivity_timeout || inactivity_timeout)
        end
      end

      # What the aggregate filters of one pipeline share.
      class Pipeline
        attr_reader :maps, :flushers, :flushed, :filters
        attr_accessor :default_timeout, :file

        def initialize
          @maps = Hash.new { |all, pattern| all[pattern] = {} }
          @flushers = {} # by pattern: the filter that looks after timeouts
          @flushed = {}  # by pattern: when that was last done
          @filters = []
        end

        # Reads what an earlier run has left. Not before the first event: a reload opens the new
        # pipeline while the old one still has to write the file.
        def restore
          return if @restored
          @restored = true
          return unless file && File.exist?(file)
          saved = File.open(file, "rb") { |from| Marshal.load(from) }
          saved.each { |pattern, elements| @maps[pattern].merge!(elements) }
          File.delete(file)
        end

        def save
          kept = {}
          @maps.each { |pattern, elements| kept[pattern] = elements unless elements.empty? }
          return if kept.empty? || !file
          File.open("#{file}.new", "wb", 0o600) { |to| Marshal.dump(kept, to) }
          File.rename("#{file}.new", file)
        end
      end

      PIPELINES = {}

      attr_reader :push_map_as_event_on_timeout

      def lsc_open(options)
        @lsc_key = options.delete("pipeline_key")
        lsc_prepare(options)
        unless @task_id.match?(/%\{.+\}/)
          raise ConfigurationError, "task_id is the same for all events: " \
                                    "it must refer to a field, as in \"%{id}\""
        end
        eval("@lsc_code = lambda do |event, map, map_meta|\n#{@code}\nend",
             lsc_binding, "(aggregate filter code)", 0)
        if @timeout_code
          eval("@lsc_timeout_code = lambda do |event|\n#{@timeout_code}\nend",
               lsc_binding, "(aggregate filter timeout code)", 0)
        end
        @lsc_keeps = Keeping.in_code?(@code)
        lsc_join(PIPELINES[@lsc_key] ||= Pipeline.new)
      end

      def lsc_join(pipeline)
        if has_timeout_options?
          if pipeline.flushers.key?(@task_id)
            raise ConfigurationError, "another aggregate filter with this task_id has timeout " \
                                      "options already: only one of them may"
          end
          pipeline.flushers[@task_id] = self
        end
        if @timeout
          pipeline.default_timeout = [pipeline.default_timeout, @timeout].compact.min
        end
        longest = [@timeout, pipeline.default_timeout].compact.min
        if @inactivity_timeout && longest && @inactivity_timeout > longest
          raise ConfigurationError, "inactivity_timeout must be lower than timeout"
        end
        if @aggregate_maps_path
          raise ConfigurationError, "only one aggregate filter may have aggregate_maps_path" if
            pipeline.file
          pipeline.file = @aggregate_maps_path
        end
        pipeline.filters << self
        @lsc_pipeline = pipeline
      end

      def has_timeout_options?
        @timeout || @inactivity_timeout || @timeout_code || @push_map_as_event_on_timeout ||
          @push_previous_map_as_event || @timeout_timestamp_field || @timeout_task_id_field ||
          !@timeout_tags.empty?
      end

      # The last filter of the pipeline keeps what is left for the next run.
      def lsc_close
        @lsc_pipeline.filters.delete(self)
        return unless @lsc_pipeline.filters.empty?
        PIPELINES.delete(@lsc_key)
        @lsc_pipeline.save unless @lsc_check_only
      end

      # ---- events ----

      def lsc_filter(event)
        @lsc_pipeline.restore
        task_id = event.sprintf(@task_id)
        return nil if task_id == @task_id
        maps = @lsc_pipeline.maps[@task_id]
        pushed = @timeout_timestamp_field ? lsc_expire_by_event(maps, task_id, event) : nil
        element = maps[task_id]
        if element.nil?
          return nil if @map_action == "update"
          pushed = lsc_push_previous(maps) if @push_previous_map_as_event && !maps.empty?
          element = maps[task_id] = Element.new(lsc_reference(event), task_id)
        elsif @map_action == "create"
          return nil
        end
        failure = lsc_run(event, element)
        maps.delete(task_id) if @end_of_task
        pushed = lsc_custom_timeout(maps, element) || pushed
        EMIT.call(pushed) if pushed
        failure || true
      end

      def lsc_run(event, element)
        element.lastevent_timestamp = lsc_reference(event)
        element.difference_from_lastevent_to_now = (Time.now - element.lastevent_timestamp).to_i
        @lsc_code.call(event, element.map, element)
        nil
      rescue Exception => e
        event.tag("_aggregateexception")
        lsc_describe(e)
      end

      def lsc_reference(event)
        return Time.now unless @timeout_timestamp_field
        time = event.get(@timeout_timestamp_field)
        time.is_a?(Timestamp) ? time.time : Time.now
      end

      def lsc_expire_by_event(maps, task_id, event)
        element = maps[task_id]
        return nil unless element
        lsc_manage_timeouts
        return nil unless element.expired?(lsc_reference(event), lsc_timeout, lsc_inactivity_timeout)
        maps.delete(task_id)
        lsc_event_of(element) if @push_previous_map_as_event || @push_map_as_event_on_timeout
      end

      # `map_meta.timeout = 0` ends a task at once.
      def lsc_custom_timeout(maps, element)
        return nil unless element.timeout || element.inactivity_timeout
        lsc_manage_timeouts
        return nil unless element.timeout == 0 || element.inactivity_timeout == 0
        maps.delete(element.task_id)
        flusher = @lsc_pipeline.flushers[@task_id]
        flusher.push_map_as_event_on_timeout ? flusher.lsc_event_of(element) : nil
      end

      def lsc_push_previous(maps)
        lsc_event_of(maps.shift[1])
      end

      def lsc_event_of(element)
        event = LogStash::Event.new(element.map)
        event.set(@timeout_task_id_field, element.task_id) if @timeout_task_id_field
        LogStash::Util::Decorators.add_tags(@timeout_tags, event)
        @lsc_timeout_code&.call(event)
        event
      rescue StandardError => e
        event ||= LogStash::Event.new
        event.tag("_aggregateexception")
        @logger.error("the timeout code failed", lsc_describe(e))
        event
      end

      # ---- timeouts ----

      # The first filter of a task_id looks after timeouts when none has options about them.
      def lsc_manage_timeouts
        @lsc_pipeline.default_timeout ||= DEFAULT_TIMEOUT
        @lsc_pipeline.flushers[@task_id] ||= self
      end

      def lsc_timeout
        @timeout || @lsc_pipeline.default_timeout
      end

      def lsc_inactivity_timeout
        @inactivity_timeout || lsc_timeout
      end

      def lsc_flush(final)
        @lsc_pipeline.restore
        lsc_manage_timeouts
        return unless @lsc_pipeline.flushers[@task_id].equal?(self)
        last = @lsc_pipeline.flushed[@task_id]
        return unless final || last.nil? || Time.now > last + lsc_inactivity_timeout / 2.0
        events = lsc_expired
        maps = @lsc_pipeline.maps[@task_id]
        events << lsc_push_previous(maps) if final && @push_previous_map_as_event && !maps.empty?
        @lsc_pipeline.flushed[@task_id] = Time.now
        events.each do |event|
          event.tag("_aggregatefinalflush") if final
          EMIT.call(event)
        end
      end

      def lsc_expired
        pushes = @push_previous_map_as_event || @push_map_as_event_on_timeout
        events = []
        @lsc_pipeline.maps[@task_id].delete_if do |_, element|
          next false unless element.expired_now?(lsc_timeout, lsc_inactivity_timeout)
          events << lsc_event_of(element) if pushes
          true
        end
        events
      end
    end
  end
end
