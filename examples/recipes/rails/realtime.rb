require "active_record"

module Realtime
  # Publishes to one user, with the transaction that is open.
  def self.publish(user_id, type, detail = {})
    raise ArgumentError, "publish needs a user's id (it is nil)" if user_id.nil?

    select("select djr.publish($1::text, $2, $3::jsonb)", user_id.to_s, type, detail.to_json)
  end

  # Publishes to every client.
  def self.publish_public(type, detail = {})
    select("select djr.publish_public($1, $2::jsonb)", type, detail.to_json)
  end

  def self.select(sql, *values)
    ActiveRecord::Base.connection.exec_query(sql, "djr", values).rows.dig(0, 0)
  end
  private_class_method :select
end
